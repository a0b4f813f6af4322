import { type Node, node, type Pod, pod, sameValue } from '@periplus/api';
import { conditionOf, formatTime, parseTime } from '@periplus/apimachinery';
import { type Entry, type Index, textsBehind, type View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import { type Controller, defineController, idle, type Plan, type PlannedEvent } from '@periplus/reconcile';
import { isReady, type PodView } from '../pod-state.ts';
import { type NodeView, wantedTaints } from './node-taints.ts';

/** Several controllers ask about one change after another: it is looked through once. */
let asked: Entry | undefined;
let named: readonly string[] = [];

/** The node that a pod is bound to, and perhaps others, without parsing it. */
export function nodesNamedBy(entry: Entry): readonly string[] {
  if (entry !== asked) {
    named = textsBehind(entry.bytes, '"nodeName":"');
    asked = entry;
  }
  return named;
}

/** Pods by the node that they are bound to. */
export const podsOnNode: Index<Pod> = {
  name: 'pods-on-node',
  kind: pod,
  keys: ({ spec }) => (spec.nodeName ? [spec.nodeName] : []),
  candidates: nodesNamedBy,
};

export interface NodeMonitorSettings {
  /** How long a node that has just been made may take to be heard of. */
  startupGraceMs: number;
}

/** The conditions that a node-agent reports. */
const REPORTED = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/**
 * Marks nodes that are not heard of any more: conditions, taints, and the pods that are on them. A node is heard of as
 * long as its liveness key stands in etcd, which its lease holds; nothing is polled.
 * https://kubernetes.io/docs/concepts/architecture/nodes/#node-heartbeats
 */
export const nodeController = (settings: NodeMonitorSettings): Controller<Node> =>
  defineController<Node>({
    name: 'node',
    for: node,
    indexes: [podsOnNode],
    watchesLiveness: true,
    reconcile({ name }, view) {
      const found = view.get(node, '', name);
      return found && !found.metadata.deletionTimestamp ? planNode(found, settings, view) : idle;
    },
  });

function planNode(found: NodeView, settings: NodeMonitorSettings, view: View): Plan {
  const { name = '', creationTimestamp = '' } = found.metadata;
  if (view.alive(name)) return planTaints(found, view.nowMs);
  const ready = conditionOf(found.status?.conditions, 'Ready');
  const graceMs = (parseTime(creationTimestamp) ?? 0) + settings.startupGraceMs - view.nowMs;
  if (!ready && graceMs > 0) return { ...planTaints(found, view.nowMs), lookAgainMs: graceMs };

  const conditions = unheardOf(found, view.nowMs);
  // The taints follow when this is seen: they depend on what the node has then.
  if (!sameValue(conditions, found.status?.conditions)) {
    const command = setConditions(found, conditions);
    return { steps: [[command]], events: ready?.status === 'True' ? [lostNode(found, command)] : [] };
  }
  const unready = view.index(podsOnNode, name).filter(isReady);
  const commands = unready.map((target) => notReady(target, view.nowMs));
  return {
    steps: [commands, ...planTaints(found, view.nowMs).steps].filter((step) => step.length > 0),
    events: unready.map((about) => ({ about, type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready' })),
  };
}

/** What can be said of a node's conditions when it is not heard of. */
function unheardOf(found: NodeView, nowMs: number) {
  const present = found.status?.conditions ?? [];
  const now = formatTime(nowMs);
  const unknown = REPORTED.map((type) => {
    const before = conditionOf(present, type);
    if (before?.status === 'Unknown') return before;
    const told = before
      ? { reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' }
      : { reason: 'NodeStatusNeverUpdated', message: 'Kubelet never posted node status.' };
    return {
      type,
      status: 'Unknown',
      ...told,
      lastHeartbeatTime: before?.lastHeartbeatTime ?? found.metadata.creationTimestamp,
      lastTransitionTime: now,
    };
  });
  return [...present.filter(({ type }) => !REPORTED.includes(type)), ...unknown];
}

const target = ({ metadata }: NodeView | PodView) => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
  ifUid: metadata.uid,
});

/** Refused when the node reported meanwhile: then there is something else to be said. */
const setConditions = (found: NodeView, conditions: unknown): Command => ({
  ...target(found),
  kind: node,
  verb: 'patch',
  subresource: 'status',
  ifResourceVersion: found.metadata.resourceVersion,
  type: 'merge',
  patch: { status: { conditions } },
});

function planTaints(found: NodeView, nowMs: number): Plan {
  const taints = wantedTaints(found, nowMs);
  if (sameValue(taints, found.spec.taints)) return idle;
  const command: Command = {
    ...target(found),
    kind: node,
    verb: 'patch',
    // Others taint nodes too.
    ifResourceVersion: found.metadata.resourceVersion,
    type: 'merge',
    patch: { spec: { taints: taints.length > 0 ? taints : null } },
  };
  return { steps: [[command]] };
}

/** Takes a pod out of the endpoints of its services; its node will say otherwise when it is back. */
const notReady = (unready: PodView, nowMs: number): Command => ({
  ...target(unready),
  kind: pod,
  verb: 'patch',
  subresource: 'status',
  type: 'strategic',
  patch: {
    status: { conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: formatTime(nowMs) }] },
  },
});

const lostNode = (found: NodeView, after: Command): PlannedEvent => ({
  about: found,
  type: 'Normal',
  reason: 'NodeNotReady',
  message: `Node ${found.metadata.name} status is now: NodeNotReady`,
  after,
});
