import type { Node } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';

/** What something used over an interval: thousand-millionths of a core, and the bytes of its working set. */
export interface Usage {
  readonly cpuNanoCores: number;
  readonly memoryBytes: number;
}

/** What a node and its pods used, measured by the node over one interval. */
export interface NodeUsage {
  /** The end of the interval, milliseconds since the epoch. */
  readonly atMs: number;
  readonly windowMs: number;
  readonly node: Usage;
  /** By uid of the pod, then by name of the container. Those that began within the interval are not there. */
  readonly pods: ReadonlyMap<string, ReadonlyMap<string, Usage>>;
}

/** Who knows what nodes use. */
export interface NodeUsageSource {
  /** Null: the node does not say. Never rejects; an answer may be some seconds old. */
  usageOf(node: DeepReadonly<Node>): Promise<NodeUsage | null>;
}
