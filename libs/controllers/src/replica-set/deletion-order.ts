import { parseTime } from '@periplus/apimachinery';
import { isReady, type PodView, readyCondition } from '../pod-state.ts';

const COST_ANNOTATION = 'controller.kubernetes.io/pod-deletion-cost';
const PHASE_ORDER: Record<string, number> = { Pending: 0, Unknown: 1, Running: 2 };

/** Everything that the order looks at, worked out once per pod. */
interface Candidate {
  pod: PodView;
  assigned: number;
  phase: number;
  ready: number;
  cost: number;
  /** Active pods of the same owner family on its node. */
  neighbours: number;
  readyMs: number;
  restarts: number;
  createdMs: number;
  uid: string;
}

/** https://kubernetes.io/docs/reference/labels-annotations-taints/#pod-deletion-cost */
function costOf(pod: PodView): number {
  const text = pod.metadata.annotations?.[COST_ANNOTATION] ?? '';
  return /^(0|-?[1-9][0-9]{0,9})$/.test(text) ? Number(text) : 0;
}

const restartsOf = ({ status }: PodView): number =>
  Math.max(0, ...(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount ?? 0));

const candidateOf = (pod: PodView, neighbours: number): Candidate => ({
  pod,
  assigned: pod.spec.nodeName ? 1 : 0,
  phase: PHASE_ORDER[pod.status?.phase ?? ''] ?? 0,
  ready: isReady(pod) ? 1 : 0,
  cost: costOf(pod),
  neighbours,
  readyMs: parseTime(readyCondition(pod)?.lastTransitionTime ?? '') ?? 0,
  restarts: restartsOf(pod),
  createdMs: parseTime(pod.metadata.creationTimestamp ?? '') ?? 0,
  uid: pod.metadata.uid ?? '',
});

/**
 * Compares two moments by the order of magnitude of their age, newer first, so that of pods of about the same age any
 * may go and not always the newest. https://github.com/kubernetes/enhancements/tree/master/keps/sig-apps/2185-random-pod-select-on-replicaset-downscale
 */
function byMagnitudeOfAge(aMs: number, bMs: number, nowMs: number): number {
  if (aMs === 0 || bMs === 0) return bMs === aMs ? 0 : aMs === 0 ? -1 : 1;
  const magnitude = (ms: number): number => Math.floor(Math.log2(Math.max(1, (nowMs - ms) / 1000)));
  return magnitude(aMs) - magnitude(bMs);
}

/**
 * The order in which pods go when there are too many, those that are missed least first: not yet on a node, not yet
 * running, not ready, of low deletion cost, doubled up on a node, ready for a short time, restarted often, new.
 * https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#scaling-a-replicaset
 */
function compare(a: Candidate, b: Candidate, nowMs: number): number {
  return (
    a.assigned - b.assigned ||
    a.phase - b.phase ||
    a.ready - b.ready ||
    a.cost - b.cost ||
    b.neighbours - a.neighbours ||
    (a.ready && b.ready ? byMagnitudeOfAge(a.readyMs, b.readyMs, nowMs) : 0) ||
    b.restarts - a.restarts ||
    byMagnitudeOfAge(a.createdMs, b.createdMs, nowMs) ||
    (a.uid < b.uid ? -1 : 1)
  );
}

/**
 * The `count` of `pods` to delete. `family` are the active pods of all sets of the same owner, `pods` included: on a
 * node that has several of them, one is missed less.
 */
export function podsToDelete(
  pods: readonly PodView[],
  family: readonly PodView[],
  count: number,
  nowMs: number,
): PodView[] {
  if (count >= pods.length) return [...pods];
  const onNode = new Map<string, number>();
  for (const { spec } of family) {
    if (spec.nodeName) onNode.set(spec.nodeName, (onNode.get(spec.nodeName) ?? 0) + 1);
  }
  return pods
    .map((pod) => candidateOf(pod, onNode.get(pod.spec.nodeName ?? '') ?? 0))
    .sort((a, b) => compare(a, b, nowMs))
    .slice(0, count)
    .map(({ pod }) => pod);
}
