import { type Node, VOLUME_DIRECTORY_ANNOTATION } from '@periplus/api';
import { type DeepReadonly, deepEqual } from '@periplus/apimachinery';
import type { ClusterEvent } from './plugin.ts';

type NodeState = DeepReadonly<Node>;

/** Which parts of a node changed that filters or scores look at. Heartbeats and the like give nothing. */
export function nodeEvents(now: NodeState, old: NodeState | null): ClusterEvent[] {
  if (!old) return ['NodeAdded'];
  const events: ClusterEvent[] = [];
  if (!deepEqual(now.status?.allocatable, old.status?.allocatable)) events.push('NodeAllocatable');
  if (!deepEqual(now.status?.declaredFeatures ?? [], old.status?.declaredFeatures ?? [])) events.push('NodeFeatures');
  if (!deepEqual(now.status?.images ?? [], old.status?.images ?? [])) events.push('NodeImages');
  if (!deepEqual(now.metadata.labels, old.metadata.labels)) events.push('NodeLabels');
  if (!deepEqual(now.spec.taints ?? [], old.spec.taints ?? [])) events.push('NodeTaints');
  if (Boolean(now.spec.unschedulable) !== Boolean(old.spec.unschedulable)) events.push('NodeUnschedulable');
  const [directory, before] = [now, old].map(({ metadata }) => metadata.annotations?.[VOLUME_DIRECTORY_ANNOTATION]);
  if (directory !== before) events.push('VolumeChanged');
  return events;
}
