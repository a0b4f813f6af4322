import type { Node } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { NodeTable } from './node-table.ts';
import type { Peer } from './peer.ts';
import type { Constraints, PodShape } from './pod-shape.ts';

/** A change of the cluster that could let a refused pod fit. */
export type ClusterEvent =
  | 'NodeAdded'
  | 'NodeRemoved'
  | 'NodeAllocatable'
  | 'NodeFeatures'
  | 'NodeImages'
  | 'NodeLabels'
  | 'NodeTaints'
  | 'NodeUnschedulable'
  /** A pod left its node, or ended there. */
  | 'PodGone'
  /** A pod was bound, or has other labels than before. */
  | 'PodPlaced'
  /** A claim, a volume, a storage class or what drivers of volumes a node has. */
  | 'VolumeChanged'
  /** A claim of devices, a class of them, or what devices there are. */
  | 'DevicesChanged';

/** What happened, where, and to which pod, when it happened to one. */
export interface ClusterChange {
  readonly events: readonly ClusterEvent[];
  readonly node: string;
  readonly peer: Peer | null;
  /** `<namespace>/<name>` of the one claim that it concerns. */
  readonly claim?: string | null;
}

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

/** Why the node can't take the pod: every reason, as several resources may be missing; null when it can. */
export type NodeCheck = (slot: number) => readonly string[] | null;

/** A filter that looks at what is left of a node, or at the pods that are where. */
export interface DynamicFilter extends Filter {
  /** It looks at the node and the pods on it alone: its answers are kept until these change. */
  readonly isLocal?: boolean;
  /**
   * The check for pods of this shape, good until anything changes, or for ever when it is local; null when the filter
   * has nothing against any node.
   */
  prepare(shape: PodShape, table: NodeTable): NodeCheck | null;
  /** As `prepare`, for what would not go with any pod: to preempt some is no help against that. */
  prepareLasting?(shape: PodShape, table: NodeTable): NodeCheck | null;
  /** Why no node can take the pod for now, whatever they are: said once, not for each node; null when that depends. */
  refusesAll?(shape: PodShape, table: NodeTable): string | null;
  /**
   * For a filter that looks beyond the node itself: whether the change could make other nodes fit than the one
   * that changed.
   */
  reaches?(shape: PodShape, change: ClusterChange, table: NodeTable): boolean;
}

/** A score that follows from what the pod asks and the node object. Higher raw values are better unless `reverse`. */
export interface StaticScore extends Plugin {
  /** Few is good: intolerable preferences. */
  readonly reverse?: boolean;
  score(constraints: Constraints, node: DeepReadonly<Node>): number;
}

/** A score of what is left of nodes, or of the pods that are where. */
export interface DynamicScore extends Plugin {
  /** It looks at the node and the pods on it alone: kept until these change. */
  readonly isLocal?: boolean;
  /**
   * Writes a whole number from 0 to 100 for each of the first `count` slots to the same place of `scores`. False
   * when all of them are alike to pods of this shape; then what it wrote means nothing.
   */
  score(shape: PodShape, table: NodeTable, slots: Int32Array, count: number, scores: Float64Array): boolean;
}

/** A score and how much it counts. */
export interface Weighted<Score> {
  readonly score: Score;
  readonly weight: number;
}
