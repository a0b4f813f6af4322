import type { Node } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { NodeTable } from './node-table.ts';
import type { Constraints, Demand } from './pod-shape.ts';

/** A change of the cluster that could let a refused pod fit. */
export type ClusterEvent =
  | 'NodeAdded'
  | 'NodeAllocatable'
  | 'NodeLabels'
  | 'NodeTaints'
  | 'NodeUnschedulable'
  /** A pod left its node, or ended there. */
  | 'PodGone';

interface Plugin {
  readonly name: string;
}

/** Says why a node can't take a pod, in the words of the FailedScheduling event; null when it can. */
interface Filter extends Plugin {
  /** The changes of the node that could make its refusal pass; nothing else wakes a pod that only it refused. */
  readonly wakesOn: readonly ClusterEvent[];
}

/** A filter whose answer follows from what the pod asks and the node object: kept until the node changes. */
export interface StaticFilter extends Filter {
  filter(constraints: Constraints, node: DeepReadonly<Node>): string | null;
}

/** A filter that looks at what is left of a node. */
export interface DynamicFilter extends Filter {
  /** Every reason, as several resources may be missing; null when it fits. */
  filter(demand: Demand, table: NodeTable, slot: number): readonly string[] | null;
}

/** A score that follows from what the pod asks and the node object. Higher raw values are better unless `reverse`. */
export interface StaticScore extends Plugin {
  readonly weight: number;
  /** Few is good: intolerable preferences. */
  readonly reverse?: boolean;
  score(constraints: Constraints, node: DeepReadonly<Node>): number;
}

/** A score from 0 to 100, a whole number, of what is left of a node. */
export interface DynamicScore extends Plugin {
  readonly weight: number;
  score(demand: Demand, table: NodeTable, slot: number): number;
}
