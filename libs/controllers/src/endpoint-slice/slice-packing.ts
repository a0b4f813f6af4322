import { sameValue } from '@periplus/api';
import type { Endpoint, SliceView } from './endpoints.ts';

/** Endpoints in one slice: what a change of one endpoint makes every proxy read again. */
export const ENDPOINTS_MAX = 100;

const idOf = ({ targetRef }: Endpoint): string => targetRef?.uid ?? '';

export interface Packing {
  /** Slices whose endpoints change, and to what. */
  update: Map<SliceView, Endpoint[]>;
  /** The endpoints of each slice that is to be made. */
  create: Endpoint[][];
  /** Slices that nothing is left of. */
  remove: SliceView[];
}

/**
 * Distributes `wanted` over the slices that are there with as few slices changed as possible: an endpoint stays where it
 * is, new ones fill slices that change anyway, then others that have room, then new slices. One slice always remains.
 */
export function packEndpoints(slices: readonly SliceView[], wanted: readonly Endpoint[]): Packing {
  const missing = new Map(wanted.map((endpoint) => [idOf(endpoint), endpoint]));
  const kept = new Map<SliceView, Endpoint[]>();
  const changed = new Set<SliceView>();
  for (const slice of slices) {
    const before = slice.endpoints ?? [];
    const now = before.flatMap((endpoint) => {
      const found = missing.get(idOf(endpoint));
      missing.delete(idOf(endpoint));
      return found ?? [];
    });
    kept.set(slice, now);
    if (!sameValue(before, now)) changed.add(slice);
  }

  const rest = [...missing.values()];
  const fill = (slice: SliceView): void => {
    const endpoints = kept.get(slice)!;
    const taken = rest.splice(0, Math.max(0, ENDPOINTS_MAX - endpoints.length));
    if (taken.length === 0) return;
    kept.set(slice, [...endpoints, ...taken]);
    changed.add(slice);
  };
  const room = (slice: SliceView): number => ENDPOINTS_MAX - kept.get(slice)!.length;
  for (const slice of [...changed]) fill(slice);
  // The fullest first, so that slices become full and the others empty.
  const others = slices.filter((slice) => !changed.has(slice)).sort((a, b) => room(a) - room(b));
  for (const slice of others) fill(slice);
  const create: Endpoint[][] = [];
  while (rest.length > 0) create.push(rest.splice(0, ENDPOINTS_MAX));

  const empty = slices.filter((slice) => kept.get(slice)!.length === 0);
  const isAnyLeft = create.length > 0 || empty.length < slices.length;
  if (slices.length === 0 && create.length === 0) create.push([]);
  const remove = isAnyLeft ? empty : empty.slice(1);
  const update = new Map(
    [...changed].filter((slice) => !remove.includes(slice)).map((slice) => [slice, kept.get(slice)!]),
  );
  return { update, create, remove };
}
