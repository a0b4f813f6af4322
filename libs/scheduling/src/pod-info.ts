import type { Pod } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { type HostPort, hostPortsOf } from './host-ports.ts';
import { type Demand, podDemand } from './pod-demand.ts';

/** A pod as the scheduler sees it: what filters and scores ask, worked out once. */
export interface PodInfo {
  readonly uid: string;
  readonly pod: DeepReadonly<Pod>;
  readonly demand: Demand;
  readonly hostPorts: readonly HostPort[];
  readonly priority: number;
  /** When it was created, milliseconds since the epoch. */
  readonly createdMs: number;
  /** Equal for pods that every node answers alike, apart from what is left of the node. */
  readonly signature: string;
}

export function podInfo(pod: DeepReadonly<Pod>): PodInfo {
  const { spec, metadata } = pod;
  const relevant = [spec.nodeName, spec.nodeSelector, spec.affinity?.nodeAffinity, spec.tolerations];
  return {
    uid: metadata.uid!,
    pod,
    demand: podDemand(pod),
    hostPorts: hostPortsOf(pod),
    priority: spec.priority ?? 0,
    createdMs: Date.parse(metadata.creationTimestamp ?? '') || 0,
    // Pods of one template have their members in one order; two orders only cost a second look.
    signature: JSON.stringify(relevant),
  };
}
