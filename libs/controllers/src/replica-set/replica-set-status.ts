import type { ReplicaSet, ReplicationController } from '@periplus/api';
import { type Condition, conditionOf, type DeepReadonly, formatTime, withoutCondition } from '@periplus/apimachinery';
import { availableInMs, hasEnded, isReady, type PodView } from '../pod-state.ts';
import { unlessZero } from '../status-change.ts';

/** What keeps pods: a set, or what sets came from. */
export type Keeper = DeepReadonly<ReplicaSet | ReplicationController>;

/** What kept it from its pods: "FailedCreate" or "FailedDelete", and the api-server's words. */
export interface ReplicaFailure {
  reason: string;
  message: string;
}

const FAILURE = 'ReplicaFailure';

function conditionsOf(keeper: Keeper, failure: ReplicaFailure | null, nowMs: number): readonly Condition[] {
  const present = keeper.status?.conditions ?? [];
  if (!failure) return withoutCondition(present, FAILURE);
  // The first failure stands until there is none, so that its time tells since when.
  if (conditionOf(present, FAILURE)) return present;
  return [...present, { type: FAILURE, status: 'True', lastTransitionTime: formatTime(nowMs), ...failure }];
}

/** Whether a pod has all labels of the set's template. */
function labelTest(keeper: Keeper): (pod: PodView) => boolean {
  const wanted = Object.entries(keeper.spec.template?.metadata?.labels ?? {});
  return ({ metadata }) => wanted.every(([name, value]) => metadata.labels?.[name] === value);
}

/**
 * The status of a keeper whose pods are `claimed`, and the time until a pod becomes available without anything changing.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/replica-set-v1/#ReplicaSetStatus
 */
export function replicaSetStatus(
  keeper: Keeper,
  claimed: readonly PodView[],
  { failure, countsTerminating, nowMs }: { failure: ReplicaFailure | null; countsTerminating: boolean; nowMs: number },
): { status: object; lookAgainMs: number | undefined } {
  const hasAllLabels = labelTest(keeper);
  const { minReadySeconds = 0 } = keeper.spec;
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
  const conditions = conditionsOf(keeper, failure, nowMs);
  const status = {
    replicas,
    fullyLabeledReplicas: unlessZero(labelled),
    readyReplicas: unlessZero(ready),
    availableReplicas: unlessZero(available),
    terminatingReplicas: countsTerminating ? terminating : undefined,
    observedGeneration: keeper.metadata.generation,
    conditions: conditions.length > 0 ? conditions : undefined,
  };
  return { status, lookAgainMs };
}
