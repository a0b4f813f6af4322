import type { DynamicScore } from '../plugin.ts';
import { type ResourceAmounts, resourceAmounts } from '../resource-amounts.ts';

export interface WeightedResource {
  readonly name: string;
  readonly weight: number;
}

export interface UtilizationPoint {
  /** Percent. */
  readonly utilization: number;
  /** 0 to 10. */
  readonly score: number;
}

/** https://kubernetes.io/docs/concepts/scheduling-eviction/resource-bin-packing/ */
export type ScoringStrategy = { readonly resources: readonly WeightedResource[] } & (
  | { readonly type: 'LeastAllocated' | 'MostAllocated' }
  | { readonly type: 'RequestedToCapacityRatio'; readonly shape: readonly UtilizationPoint[] }
);

const CPU_AND_MEMORY: readonly WeightedResource[] = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
];
export const LEAST_ALLOCATED: ScoringStrategy = { type: 'LeastAllocated', resources: CPU_AND_MEMORY };

/** 0 to 100 for one resource of a node that would be asked for `requested` of the `allocatable`, which is not 0. */
type Rate = (requested: number, allocatable: number) => number;

const leastAllocated: Rate = (requested, allocatable) =>
  requested > allocatable ? 0 : Math.floor(((allocatable - requested) * 100) / allocatable);

const mostAllocated: Rate = (requested, allocatable) =>
  Math.floor((Math.min(requested, allocatable) * 100) / allocatable);

/** Along straight lines between the points. */
function alongShape(shape: readonly UtilizationPoint[]): Rate {
  const points = shape.map(({ utilization, score }) => ({ utilization, score: score * 10 }));
  return (requested, allocatable) => {
    const used = requested > allocatable ? 100 : Math.floor((requested * 100) / allocatable);
    const next = points.findIndex(({ utilization }) => used <= utilization);
    if (next < 0) return points.at(-1)!.score;
    const to = points[next]!;
    if (next === 0) return to.score;
    const from = points[next - 1]!;
    const share = (used - from.utilization) / (to.utilization - from.utilization);
    return from.score + Math.trunc((to.score - from.score) * share);
  };
}

const rateOf = (strategy: ScoringStrategy): Rate => {
  if (strategy.type === 'RequestedToCapacityRatio') return alongShape(strategy.shape);
  return strategy.type === 'LeastAllocated' ? leastAllocated : mostAllocated;
};

/** The score of NodeResourcesFit: how full nodes would be, resource by resource, weighed against each other. */
export function resourceScoring(strategy: ScoringStrategy): DynamicScore {
  const rate = rateOf(strategy);
  // kube-scheduler leaves resources out that rate 0 by a shape, and rounds only then.
  const byShape = strategy.type === 'RequestedToCapacityRatio';
  const divide = byShape ? Math.round : Math.floor;
  return {
    name: 'NodeResourcesFit',
    isLocal: true,
    score({ demand }, table, slots, count, scores) {
      const amounts: { amount: ResourceAmounts; weight: number }[] = [];
      for (const { name, weight } of strategy.resources) {
        const amount = resourceAmounts(name, demand, table, { assumed: true });
        if (amount) amounts.push({ amount, weight });
      }
      for (let at = 0; at < count; at += 1) {
        const slot = slots[at]!;
        let sum = 0;
        let weights = 0;
        for (const { amount, weight } of amounts) {
          const allocatable = amount.allocatable(slot);
          if (allocatable === 0) continue;
          const rated = rate(amount.requested(slot), allocatable);
          if (byShape && rated === 0) continue;
          sum += rated * weight;
          weights += weight;
        }
        scores[at] = weights === 0 ? 0 : divide(sum / weights);
      }
      return true;
    },
  };
}

/** Prefers nodes whose resources would be taken to like shares: the smaller the deviation, the better. */
export function balancedAllocation(resources: readonly WeightedResource[] = CPU_AND_MEMORY): DynamicScore {
  return {
    name: 'NodeResourcesBalancedAllocation',
    isLocal: true,
    score({ demand }, table, slots, count, scores) {
      const amounts: ResourceAmounts[] = [];
      for (const { name } of resources) {
        const amount = resourceAmounts(name, demand, table, { assumed: false });
        if (amount) amounts.push(amount);
      }
      // To a pod that asks for nothing all nodes are alike; else such pods would gather on one.
      if (amounts.every(({ wanted }) => wanted === 0)) return false;
      const shares: number[] = [];
      for (let at = 0; at < count; at += 1) {
        takenShares(amounts, slots[at]!, shares);
        scores[at] = Math.trunc((1 - deviation(shares)) * 100);
      }
      return true;
    },
  };
}

/** Of each resource, into `shares`: what would be taken of it, 0 to 1. */
function takenShares(amounts: readonly ResourceAmounts[], slot: number, shares: number[]): void {
  shares.length = 0;
  for (const amount of amounts) {
    const allocatable = amount.allocatable(slot);
    if (allocatable !== 0) shares.push(Math.min(amount.requested(slot) / allocatable, 1));
  }
}

/** The standard deviation. */
function deviation(shares: readonly number[]): number {
  if (shares.length < 2) return 0;
  if (shares.length === 2) return Math.abs(shares[0]! - shares[1]!) / 2;
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  return Math.sqrt(shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length);
}
