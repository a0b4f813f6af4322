import type { NodeTable } from './node-table.ts';
import type { Demand } from './pod-shape.ts';

/** One resource, for a score. */
export interface ResourceAmounts {
  /** What a node has. */
  allocatable(slot: number): number;
  /** What its pods take and what the pod would. */
  requested(slot: number): number;
  /** What the pod would. */
  readonly wanted: number;
}

const ofColumns = (allocatable: Float64Array, taken: Float64Array, wanted: number): ResourceAmounts => ({
  allocatable: (slot) => allocatable[slot]!,
  requested: (slot) => taken[slot]! + wanted,
  wanted,
});

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
        ? ofColumns(table.allocatableCpu, table.scoredCpu, demand.scoredMilliCpu)
        : ofColumns(table.allocatableCpu, table.requestedCpu, demand.milliCpu);
    case 'memory':
      return assumed
        ? ofColumns(table.allocatableMemory, table.scoredMemory, demand.scoredMemory)
        : ofColumns(table.allocatableMemory, table.requestedMemory, demand.memory);
    case 'ephemeral-storage':
      return ofColumns(table.allocatableStorage, table.requestedStorage, demand.ephemeralStorage);
    default: {
      const wanted = demand.others.get(resource) ?? 0;
      if (wanted === 0) return null;
      return {
        allocatable: (slot) => table.allocatableOthers[slot]?.get(resource) ?? 0,
        requested: (slot) => (table.requestedOthers[slot]?.get(resource) ?? 0) + wanted,
        wanted,
      };
    }
  }
}
