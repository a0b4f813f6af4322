/** Ranges of one size within a range, of IPv4 or IPv6 addresses. */
import { addressRange, addressText } from '@periplus/api';

/** Where the pods of the cluster get their addresses of one family, and how long the prefix of one node's range is. */
export interface PodNetwork {
  /** "10.244.0.0/16", "fd00:10::/48". */
  cidr: string;
  nodeMaskBits: number;
}

/** Throws RangeError, which says what is wrong with the networks: there may be one of each family. */
export function checkPodNetworks(networks: readonly PodNetwork[]): void {
  const families = new Set<boolean>();
  for (const { cidr, nodeMaskBits } of networks) {
    const range = addressRange(cidr);
    if (!range) throw new RangeError(`${cidr} is no range of addresses`);
    if (families.has(range.isV6)) throw new RangeError(`${cidr} is the second range of its family`);
    if (nodeMaskBits < range.bits) throw new RangeError(`${cidr} has no room for a /${nodeMaskBits}`);
    families.add(range.isV6);
  }
}

/**
 * The lowest ranges that overlap none of `taken`, as many as `count` and as there are. `taken` may hold ranges of any
 * size and family, and what is none.
 */
export function freeRanges({ cidr, nodeMaskBits }: PodNetwork, taken: Iterable<string>, count: number): string[] {
  const { isV6, first, behind } = addressRange(cidr)!;
  const size = 1n << BigInt((isV6 ? 128 : 32) - nodeMaskBits);
  const busy = [...taken]
    .flatMap((text) => addressRange(text) ?? [])
    .filter((range) => range.isV6 === isV6)
    .sort((a, b) => (a.first < b.first ? -1 : 1));
  const free: string[] = [];
  let next = first;
  for (const range of [...busy, { first: behind, behind }]) {
    for (; next + size <= range.first && next + size <= behind && free.length < count; next += size) {
      free.push(`${addressText(next, isV6)}/${nodeMaskBits}`);
    }
    // Ranges begin at multiples of their size.
    if (range.behind > next) next = ((range.behind + size - 1n) / size) * size;
  }
  return free;
}
