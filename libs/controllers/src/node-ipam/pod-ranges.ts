/** Ranges of one size within a range, IPv4. */
import { isIPv4 } from 'node:net';

const BITS = 32;

/** Where the pods of the cluster get their addresses, and how long the prefix of one node's range is. */
export interface PodNetwork {
  /** "10.244.0.0/16". */
  cidr: string;
  nodeMaskBits: number;
}

interface Range {
  base: number;
  bits: number;
}

const toNumber = (address: string): number => address.split('.').reduce((value, part) => value * 256 + Number(part), 0);
const toText = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');

/** Undefined for what is no IPv4 range. */
function rangeOf(cidr: string): Range | undefined {
  const [address = '', length = ''] = cidr.split('/');
  const bits = Number(length);
  if (!isIPv4(address) || !/^\d{1,2}$/.test(length) || bits > BITS) return undefined;
  const size = 2 ** (BITS - bits);
  return { base: Math.floor(toNumber(address) / size) * size, bits };
}

/** Throws RangeError, which says what is wrong with the network. */
export function checkPodNetwork({ cidr, nodeMaskBits }: PodNetwork): void {
  const range = rangeOf(cidr);
  if (!range) throw new RangeError(`${cidr} is no IPv4 range`);
  if (nodeMaskBits < range.bits) throw new RangeError(`${cidr} has no room for a /${nodeMaskBits}`);
}

/**
 * The lowest ranges that overlap none of `taken`, as many as `count` and as there are. `taken` may hold ranges of any
 * size, and what is none.
 */
export function freeRanges({ cidr, nodeMaskBits }: PodNetwork, taken: Iterable<string>, count: number): string[] {
  const { base, bits } = rangeOf(cidr)!;
  const size = 2 ** (BITS - nodeMaskBits);
  const total = 2 ** (nodeMaskBits - bits);
  const used = new Set<number>();
  for (const one of taken) {
    const range = rangeOf(one);
    if (!range) continue;
    const end = range.base + 2 ** (BITS - range.bits);
    const first = Math.max(0, Math.floor((range.base - base) / size));
    const behind = Math.min(total, Math.ceil((end - base) / size));
    for (let i = first; i < behind; i++) used.add(i);
  }
  const free: string[] = [];
  for (let i = 0; i < total && free.length < count; i++) {
    if (!used.has(i)) free.push(`${toText(base + i * size)}/${nodeMaskBits}`);
  }
  return free;
}
