import { REVISION_LABEL } from '../controller-revision/revision-history.ts';
import { isReady, type PodView } from '../pod-state.ts';
import { unlessZero } from '../status-change.ts';
import { type StatefulSetView, steadyInMs } from './members.ts';

/** The marks of the templates that a set rolls out from and to. */
export interface Revisions {
  current: string | undefined;
  update: string | undefined;
}

/**
 * The status of a set whose pods are `pods`, and the time until a pod becomes available without anything changing.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/stateful-set-v1/#StatefulSetStatus
 */
export function statefulSetStatus(
  set: StatefulSetView,
  pods: readonly PodView[],
  revisions: Revisions,
  nowMs: number,
): { status: object; lookAgainMs: number | undefined } {
  let [ready, available, current, updated] = [0, 0, 0, 0];
  let lookAgainMs: number | undefined;
  for (const pod of pods) {
    const inMs = steadyInMs(set, pod, nowMs);
    if (pod.status?.phase === 'Running' && isReady(pod)) ready += 1;
    if (inMs === 0) available += 1;
    else if (inMs !== undefined) lookAgainMs = Math.min(lookAgainMs ?? inMs, inMs);
    if (pod.metadata.deletionTimestamp) continue;
    const revision = pod.metadata.labels?.[REVISION_LABEL];
    if (revision === revisions.current) current += 1;
    if (revision === revisions.update) updated += 1;
  }
  const { replicas = 1, updateStrategy } = set.spec;
  const isComplete =
    updateStrategy?.type === 'RollingUpdate' && [updated, ready, pods.length].every((count) => count === replicas);
  const status = {
    observedGeneration: set.metadata.generation,
    replicas: pods.length,
    readyReplicas: unlessZero(ready),
    availableReplicas: available,
    currentReplicas: unlessZero(isComplete ? updated : current),
    updatedReplicas: unlessZero(updated),
    currentRevision: isComplete ? revisions.update : revisions.current,
    updateRevision: revisions.update,
    collisionCount: set.status?.collisionCount ?? 0,
    conditions: set.status?.conditions,
  };
  return { status, lookAgainMs };
}
