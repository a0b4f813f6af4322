import type { NodeTable } from '../node-table.ts';
import type { DynamicFilter } from '../plugin.ts';
import type { Demand } from '../pod-shape.ts';

const TOO_SMALL = ['node(s) have less than that'];

/** Extended resources that somebody else looks after. */
export interface IgnoredResources {
  readonly names: readonly string[];
  /** What stands before the slash in names. */
  readonly groups: readonly string[];
}

/** A node takes a pod when every request fits beside those of its pods, and it has room for one more pod. */
export const nodeResourcesFit = (ignored?: IgnoredResources): DynamicFilter => ({
  name: 'NodeResourcesFit',
  isLocal: true,
  wakesOn: ['NodeAdded', 'NodeAllocatable', 'PodGone'],
  prepare(shape, table) {
    const demand = without(shape.demand, ignored);
    return (slot) => missing(demand, table, slot);
  },
  prepareLasting(shape, table) {
    const demand = without(shape.demand, ignored);
    return (slot) => (exceeds(demand, table, slot) ? TOO_SMALL : null);
  },
});

/** https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#extended-resources */
const isExtended = (resource: string): boolean => resource.includes('/') && !resource.includes('kubernetes.io/');

function without(demand: Demand, { names, groups }: IgnoredResources = { names: [], groups: [] }): Demand {
  if (demand.others.size === 0 || names.length + groups.length === 0) return demand;
  const counts = (resource: string): boolean =>
    !isExtended(resource) || !(names.includes(resource) || groups.includes(resource.split('/')[0]!));
  return { ...demand, others: new Map([...demand.others].filter(([resource]) => counts(resource))) };
}

/** Whether it asks for more than the node has even when nobody else is there. */
function exceeds({ milliCpu, memory, ephemeralStorage, others }: Demand, table: NodeTable, slot: number): boolean {
  if (milliCpu > table.allocatableCpu[slot]! || memory > table.allocatableMemory[slot]!) return true;
  if (ephemeralStorage > table.allocatableStorage[slot]!) return true;
  return others.size > 0 && missingOthers(others, table.allocatableOthers[slot], null) !== null;
}

function missing(demand: Demand, table: NodeTable, slot: number): string[] | null {
  const cpu = demand.milliCpu > 0 && demand.milliCpu > table.allocatableCpu[slot]! - table.requestedCpu[slot]!;
  const memory = demand.memory > 0 && demand.memory > table.allocatableMemory[slot]! - table.requestedMemory[slot]!;
  const storage =
    demand.ephemeralStorage > 0 &&
    demand.ephemeralStorage > table.allocatableStorage[slot]! - table.requestedStorage[slot]!;
  const pods = table.pods[slot]! + 1 > table.allocatablePods[slot]!;
  const others =
    demand.others.size > 0
      ? missingOthers(demand.others, table.allocatableOthers[slot], table.requestedOthers[slot])
      : null;
  if (!cpu && !memory && !storage && !pods && !others) return null;
  const reasons = others ?? [];
  if (pods) reasons.push('Too many pods');
  if (cpu) reasons.push('Insufficient cpu');
  if (memory) reasons.push('Insufficient memory');
  if (storage) reasons.push('Insufficient ephemeral-storage');
  return reasons;
}

type Amounts = ReadonlyMap<string, number> | null | undefined;

function missingOthers(wanted: ReadonlyMap<string, number>, allocatable: Amounts, requested: Amounts): string[] | null {
  let missing: string[] | null = null;
  for (const [resource, amount] of wanted) {
    const left = (allocatable?.get(resource) ?? 0) - (requested?.get(resource) ?? 0);
    if (amount <= left) continue;
    missing ??= [];
    missing.push(`Insufficient ${resource}`);
  }
  return missing;
}
