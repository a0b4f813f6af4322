import type { NodeTable } from './node-table.ts';
import type { Demand } from './pod-shape.ts';

/** One resource, for a score: what nodes have of it, what their pods take of that, and what the pod would. By slot. */
export interface ResourceAmounts {
  readonly allocatable: ArrayLike<number>;
  readonly requested: ArrayLike<number>;
  readonly wanted: number;
}

/**
 * Null for a resource that is not CPU, memory or storage and that the pod doesn't want: it is left out of scores.
 * With `assumed`, a container without a request counts as if it wanted a little CPU and memory, so that such pods spread.
 */
export function resourceAmounts(
  resource: string,
  demand: Demand,
  table: NodeTable,
  { assumed }: { assumed: boolean },
): ResourceAmounts | null {
  switch (resource) {
    case 'cpu':
      return assumed
        ? { allocatable: table.allocatableCpu, requested: table.scoredCpu, wanted: demand.scoredMilliCpu }
        : { allocatable: table.allocatableCpu, requested: table.requestedCpu, wanted: demand.milliCpu };
    case 'memory':
      return assumed
        ? { allocatable: table.allocatableMemory, requested: table.scoredMemory, wanted: demand.scoredMemory }
        : { allocatable: table.allocatableMemory, requested: table.requestedMemory, wanted: demand.memory };
    case 'ephemeral-storage': {
      const { allocatableStorage: allocatable, requestedStorage: requested } = table;
      return { allocatable, requested, wanted: demand.ephemeralStorage };
    }
    default: {
      const wanted = demand.others.get(resource) ?? 0;
      if (wanted === 0) return null;
      const allocatable = table.allocatableOthers.map((amounts) => amounts?.get(resource) ?? 0);
      const requested = table.requestedOthers.map((amounts) => amounts?.get(resource) ?? 0);
      return { allocatable, requested, wanted };
    }
  }
}
