import type { Victims } from './victims.ts';

/** A node that would take the pod if these went. */
export interface Candidate {
  readonly node: string;
  readonly victims: Victims;
}

function isBetter(one: Victims, other: Victims): boolean {
  for (let index = 0; index < one.costs.length; index += 1) {
    if (one.costs[index] !== other.costs[index]) return one.costs[index]! < other.costs[index]!;
  }
  return false;
}

/** The candidate whose victims are missed least; among equals, the first. */
export function leastMissed(candidates: readonly Candidate[]): Candidate | undefined {
  let [best] = candidates;
  for (const candidate of candidates) if (isBetter(candidate.victims, best!.victims)) best = candidate;
  return best;
}
