import { node as nodeKind } from '@periplus/api';
import { parseTime } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import { hasEnded, type PodView } from '../pod-state.ts';
import { nodeOf } from './daemon-pod.ts';
import { type DaemonSetView, NOWHERE, type Placement, placementOf } from './placement.ts';

/** A node as a DaemonSet sees it. */
export interface DaemonNode {
  name: string;
  isThere: boolean;
  placement: Placement;
  /** Its pods, bound ones first, then the oldest. One that has ended and is on its way out is none any more. */
  pods: readonly PodView[];
}

const createdMs = ({ metadata }: PodView): number => parseTime(metadata.creationTimestamp ?? '') ?? 0;

const boundAndOldestFirst = (a: PodView, b: PodView): number =>
  Number(Boolean(b.spec.nodeName)) - Number(Boolean(a.spec.nodeName)) ||
  createdMs(a) - createdMs(b) ||
  ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1);

/** All nodes, and those that are gone and still have pods. */
export function daemonNodes(set: DaemonSetView, pods: readonly PodView[], view: View): DaemonNode[] {
  const byNode = new Map<string, PodView[]>();
  for (const pod of pods) {
    const name = nodeOf(pod);
    if (name === undefined || (hasEnded(pod) && pod.metadata.deletionTimestamp)) continue;
    const present = byNode.get(name);
    if (present) present.push(pod);
    else byNode.set(name, [pod]);
  }
  for (const present of byNode.values()) if (present.length > 1) present.sort(boundAndOldestFirst);
  const nodes = view.list(nodeKind).map((node): DaemonNode => {
    const name = node.metadata.name ?? '';
    const present = byNode.get(name) ?? [];
    byNode.delete(name);
    return { name, isThere: true, placement: placementOf(set, node), pods: present };
  });
  for (const [name, left] of byNode) nodes.push({ name, isThere: false, placement: NOWHERE, pods: left });
  return nodes;
}
