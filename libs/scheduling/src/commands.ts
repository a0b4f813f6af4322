import { type Pod, pod as podKind } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { Entry } from '@periplus/cache';
import type { Command, CommandCause } from '@periplus/client';

/** The change that a decision answers to. */
export const causeOf = ({ key, resourceVersion }: Entry): CommandCause => ({
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

/** What the pod's status says of its scheduling. */
export const scheduledCondition = ({ status }: DeepReadonly<Pod>) =>
  status?.conditions?.find(({ type }) => type === 'PodScheduled');

const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/**
 * Says that the pod has no node. `nominated` is the node that others are leaving for it, null to take that back.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions
 */
export function unschedulable(
  pod: DeepReadonly<Pod>,
  message: string,
  nominated: string | null,
  nowMs: number,
): Command {
  const before = scheduledCondition(pod);
  const condition = {
    type: 'PodScheduled',
    status: 'False',
    reason: 'Unschedulable',
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
