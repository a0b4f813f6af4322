import { POD_GROUP_SCHEDULED, type Pod, podGroup as podGroupKind, pod as podKind } from '@periplus/api';
import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';
import type { Entry } from '@periplus/cache';
import type { Command, CommandCause } from '@periplus/client';
import type { Placement } from './pod-info.ts';

/** The change that a decision answers to. */
export const causeOf = ({ key, resourceVersion }: Pick<Entry, 'key' | 'resourceVersion'>): CommandCause => ({
  key: `core/${key.resource}/${key.namespace ? `${key.namespace}/` : ''}${key.name}`,
  resourceVersion,
  reconciler: 'scheduler',
});

const target = ({ metadata }: DeepReadonly<Pod>) => ({
  kind: podKind,
  namespace: metadata.namespace!,
  name: metadata.name!,
  ifUid: metadata.uid!,
});

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/binding-v1/ */
export function binding(pod: DeepReadonly<Pod>, node: string): Command {
  const { namespace, name, uid } = pod.metadata;
  const object = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { namespace, name, uid },
    target: { kind: 'Node', name: node },
  };
  return { ...target(pod), subresource: 'binding', verb: 'create', object };
}

interface GroupName {
  readonly namespace: string;
  readonly name: string;
}

/** Gives pods of a group to nodes, all or none. */
export const groupBinding = ({ namespace, name }: GroupName, placements: readonly Placement[]): Command => ({
  ...{ kind: podGroupKind, namespace, name, subresource: 'binding', verb: 'create' },
  object: {
    apiVersion: 'scheduling.k8s.io/v1alpha2',
    kind: 'PodGroupBinding',
    metadata: { namespace, name },
    bindings: placements.map(({ pod: { pod }, node }) => ({ name: pod.metadata.name, uid: pod.metadata.uid, node })),
  } as DeepReadonly<KubeObject>,
});

/** Says that the group has too few nodes. */
export const groupUnschedulable = ({ namespace, name }: GroupName, message: string, nowMs: number): Command => {
  const known = { type: POD_GROUP_SCHEDULED, status: 'False', reason: 'Unschedulable', message };
  const patch = { status: { conditions: [{ ...known, lastTransitionTime: timestamp(nowMs) }] } };
  const target = { kind: podGroupKind, namespace, name, subresource: 'status' };
  return { ...target, verb: 'patch', type: 'strategic', patch };
};

/** What the pod's status says of its scheduling. */
export const scheduledCondition = ({ status }: DeepReadonly<Pod>) =>
  status?.conditions?.find(({ type }) => type === 'PodScheduled');

const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** Why a pod has no node: it fits nowhere, or what was decided could not be done. */
export interface NotScheduled {
  readonly reason: 'Unschedulable' | 'SchedulerError';
  readonly message: string;
  /** The node that others are leaving for it; null takes that back. */
  readonly nominated: string | null;
}

/** Says that the pod has no node. https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions */
export function notScheduled(
  pod: DeepReadonly<Pod>,
  { reason, message, nominated }: NotScheduled,
  nowMs: number,
): Command {
  const before = scheduledCondition(pod);
  const condition = {
    type: 'PodScheduled',
    status: 'False',
    reason,
    message,
    observedGeneration: pod.metadata.generation,
    lastProbeTime: null,
    lastTransitionTime: before?.status === 'False' ? before.lastTransitionTime : timestamp(nowMs),
  };
  const patch = { status: { conditions: [condition], nominatedNodeName: nominated } };
  return { ...target(pod), subresource: 'status', verb: 'patch', type: 'strategic', patch };
}

/** Takes back that others are leaving a node for the pod. */
export const noLongerNominated = (pod: DeepReadonly<Pod>): Command => ({
  ...target(pod),
  ...{ subresource: 'status', verb: 'patch', type: 'strategic', patch: { status: { nominatedNodeName: null } } },
});
