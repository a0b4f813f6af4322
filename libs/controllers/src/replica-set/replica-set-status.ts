import type { ReplicaSet } from '@periplus/api';
import { type Condition, conditionOf, type DeepReadonly, formatTime, withoutCondition } from '@periplus/apimachinery';
import { availableInMs, hasEnded, isReady, type PodView } from '../pod-state.ts';
import { unlessZero } from '../status-change.ts';

type ReplicaSetView = DeepReadonly<ReplicaSet>;

/** What kept a set from its pods: "FailedCreate" or "FailedDelete", and the api-server's words. */
export interface ReplicaFailure {
  reason: string;
  message: string;
}

const FAILURE = 'ReplicaFailure';

function conditionsOf(rs: ReplicaSetView, failure: ReplicaFailure | null, nowMs: number): readonly Condition[] {
  const present = rs.status?.conditions ?? [];
  if (!failure) return withoutCondition(present, FAILURE);
  // The first failure stands until there is none, so that its time tells since when.
  if (conditionOf(present, FAILURE)) return present;
  return [...present, { type: FAILURE, status: 'True', lastTransitionTime: formatTime(nowMs), ...failure }];
}

/** Whether a pod has all labels of the set's template. */
function labelTest(rs: ReplicaSetView): (pod: PodView) => boolean {
  const wanted = Object.entries(rs.spec.template?.metadata?.labels ?? {});
  return ({ metadata }) => wanted.every(([name, value]) => metadata.labels?.[name] === value);
}

/**
 * The status of a set whose pods are `claimed`, and the time until a pod becomes available without anything changing.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/replica-set-v1/#ReplicaSetStatus
 */
export function replicaSetStatus(
  rs: ReplicaSetView,
  claimed: readonly PodView[],
  failure: ReplicaFailure | null,
  nowMs: number,
): { status: object; lookAgainMs: number | undefined } {
  const hasAllLabels = labelTest(rs);
  const { minReadySeconds = 0 } = rs.spec;
  let [replicas, labelled, ready, available, terminating] = [0, 0, 0, 0, 0];
  let lookAgainMs: number | undefined;
  for (const pod of claimed) {
    if (hasEnded(pod)) continue;
    if (pod.metadata.deletionTimestamp) {
      terminating += 1;
      continue;
    }
    replicas += 1;
    if (hasAllLabels(pod)) labelled += 1;
    if (!isReady(pod)) continue;
    ready += 1;
    const inMs = availableInMs(pod, minReadySeconds, nowMs);
    if (inMs === 0) available += 1;
    else if (inMs !== undefined) lookAgainMs = Math.min(lookAgainMs ?? inMs, inMs);
  }
  const conditions = conditionsOf(rs, failure, nowMs);
  const status = {
    replicas,
    fullyLabeledReplicas: unlessZero(labelled),
    readyReplicas: unlessZero(ready),
    availableReplicas: unlessZero(available),
    terminatingReplicas: terminating,
    observedGeneration: rs.metadata.generation,
    conditions: conditions.length > 0 ? conditions : undefined,
  };
  return { status, lookAgainMs };
}
