import { type DaemonSet, daemonSet, namedNodes, type Pod } from '@periplus/api';
import { type DeepReadonly, parseTime } from '@periplus/apimachinery';
import { REVISION_LABEL } from '../controller-revision/revision-history.ts';
import { podOfTemplate } from '../pod-of-template.ts';
import type { PodView } from '../pod-state.ts';

type PodSpec = PodView['spec'];
type Toleration = NonNullable<PodSpec['tolerations']>[number];

/** Templates that the set has had, by its count. */
const GENERATION_ANNOTATION = 'deprecated.daemonset.template.generation';
const GENERATION_LABEL = 'pod-template-generation';
/** How many pods of the set failed in a row on the node before this one. */
const FAILURES_ANNOTATION = 'periplus.dev/daemon-failures';

/** After one failure; each further one doubles it. As long as a pod runs for twice the longest, it starts anew. */
const BACKOFF_MS_MIN = 1_000;
const BACKOFF_MS_MAX = 15 * 60_000;

const exists = (name: string, effect: Toleration['effect']): Toleration => ({
  key: `node.kubernetes.io/${name}`,
  operator: 'Exists',
  effect,
});

/** https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations */
const TOLERATIONS: readonly Toleration[] = [
  exists('not-ready', 'NoExecute'),
  exists('unreachable', 'NoExecute'),
  exists('disk-pressure', 'NoSchedule'),
  exists('memory-pressure', 'NoSchedule'),
  exists('pid-pressure', 'NoSchedule'),
  exists('unschedulable', 'NoSchedule'),
];
const HOST_NETWORK_TOLERATION = exists('network-unavailable', 'NoSchedule');

const isSame = (a: Toleration, b: Toleration): boolean =>
  a.key === b.key && a.effect === b.effect && a.operator === b.operator && (a.value ?? '') === (b.value ?? '');

/** The tolerations of a template and those that all pods of DaemonSets have. */
export function daemonTolerations({ tolerations = [], hostNetwork }: PodSpec): readonly Toleration[] {
  const added = hostNetwork ? [...TOLERATIONS, HOST_NETWORK_TOLERATION] : TOLERATIONS;
  return [...tolerations.filter((own) => !added.some((other) => isSame(own, other))), ...added];
}

/** The scheduler binds the pod to this node and no other: the set has looked at the rest of its affinity to nodes. */
const affinityTo = (node: string, affinity: PodSpec['affinity']): PodSpec['affinity'] => ({
  ...affinity,
  nodeAffinity: {
    ...affinity?.nodeAffinity,
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }],
    },
  },
});

/** The node that a pod is on or meant for; undefined when it is for none in particular. */
export const nodeOf = ({ spec }: PodView): string | undefined =>
  spec.nodeName || namedNodes(spec.affinity?.nodeAffinity)?.[0];

/** The pod of the set for a node, where `failures` of them failed before it. `hash` marks the template. */
export function daemonPod(
  set: DeepReadonly<DaemonSet>,
  name: string,
  target: { node: string; failures: number },
  hash: string,
): DeepReadonly<Pod> {
  const pod = podOfTemplate(set, daemonSet, name, set.spec.template);
  const generation = set.metadata.annotations?.[GENERATION_ANNOTATION];
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: {
        ...pod.metadata.labels,
        ...(generation && { [GENERATION_LABEL]: generation }),
        [REVISION_LABEL]: hash,
      },
      ...(target.failures > 0 && {
        annotations: { ...pod.metadata.annotations, [FAILURES_ANNOTATION]: String(target.failures) },
      }),
    },
    spec: {
      ...pod.spec,
      tolerations: daemonTolerations(pod.spec),
      affinity: affinityTo(target.node, pod.spec.affinity),
    },
  };
}

const failuresBefore = ({ metadata }: PodView): number => {
  const text = metadata.annotations?.[FAILURES_ANNOTATION] ?? '';
  return /^[0-9]{1,9}$/.test(text) ? Number(text) : 0;
};

const ageMs = ({ metadata }: PodView, nowMs: number): number =>
  nowMs - (parseTime(metadata.creationTimestamp ?? '') ?? 0);

/** How many have failed in a row, a pod that failed included. */
export const failuresWith = (failed: PodView, nowMs: number): number =>
  (ageMs(failed, nowMs) > 2 * BACKOFF_MS_MAX ? 0 : failuresBefore(failed)) + 1;

/**
 * Milliseconds until a pod that failed may be replaced: the node may refuse the next one just the same. The count stands
 * in the pods themselves, so that it outlives the controller.
 */
export function replaceInMs(failed: PodView, nowMs: number): number {
  const failures = failuresBefore(failed);
  if (failures === 0) return 0;
  return Math.max(0, Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** (failures - 1)) - ageMs(failed, nowMs));
}
