/** What a pod is to its Job. */
import type { Job } from '@periplus/api';
import { conditionOf, type DeepReadonly, isConditionTrue, parseTime } from '@periplus/apimachinery';
import type { Command } from '@periplus/client';
import { podTarget } from '../pod-commands.ts';
import { hasEnded, type PodView } from '../pod-state.ts';

export type JobView = DeepReadonly<Job>;

/** Keeps a pod until its Job has counted it. https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-tracking-with-finalizers */
export const TRACKING = 'batch.kubernetes.io/job-tracking';
export const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index';
export const INDEX_FAILURES = 'batch.kubernetes.io/job-index-failure-count';
export const IGNORED_INDEX_FAILURES = 'batch.kubernetes.io/job-index-ignored-failure-count';
const INT32_MAX = 2 ** 31 - 1;

export const isTracked = ({ metadata }: PodView): boolean => metadata.finalizers?.includes(TRACKING) ?? false;

export const isIndexed = ({ spec }: JobView): boolean => spec.completionMode === 'Indexed';

/** Whether it is known how the Job is going to end. */
export const isDecided = ({ status }: JobView): boolean =>
  isConditionTrue(status?.conditions, 'SuccessCriteriaMet') || isConditionTrue(status?.conditions, 'FailureTarget');

/** Whether only pods that have failed are replaced, and those that are about to go still count. */
export const waitsForFailure = ({ spec }: JobView): boolean =>
  spec.podReplacementPolicy === 'Failed' || spec.podFailurePolicy !== undefined;

export const isTerminating = (pod: PodView): boolean => pod.metadata.deletionTimestamp !== undefined && !hasEnded(pod);

/** A pod that is being deleted may never come to say that it failed. */
export const isFailed = (pod: PodView, job: JobView): boolean =>
  pod.status?.phase === 'Failed' || (isTerminating(pod) && !waitsForFailure(job));

export const isSucceeded = ({ status }: PodView): boolean => status?.phase === 'Succeeded';

function countIn({ metadata }: PodView, annotation: string): number | undefined {
  const text = metadata.annotations?.[annotation] ?? '';
  const count = /^\d{1,10}$/.test(text) ? Number(text) : undefined;
  return count !== undefined && count <= INT32_MAX ? count : undefined;
}

/** The index that a pod is for; undefined without one that the Job has. */
export function indexOf(pod: PodView, { spec }: JobView): number | undefined {
  const index = countIn(pod, COMPLETION_INDEX);
  return index !== undefined && index < (spec.completions ?? 0) ? index : undefined;
}

/** Failures of a pod's index before it. */
export const failuresBefore = (pod: PodView): { counted: number; ignored: number } => ({
  counted: countIn(pod, INDEX_FAILURES) ?? 0,
  ignored: countIn(pod, IGNORED_INDEX_FAILURES) ?? 0,
});

const timeOf = (text: string | undefined): number | undefined => (text ? parseTime(text) : undefined);

function containersEndedMs({ status }: PodView): number | undefined {
  const ends = (status?.containerStatuses ?? []).map(({ state }) => timeOf(state?.terminated?.finishedAt));
  return ends.length > 0 && ends.every((end) => end !== undefined) ? Math.max(...(ends as number[])) : undefined;
}

/** When a pod ended, as far as it tells. */
export function endedMs(pod: PodView): number {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp } = pod.metadata;
  const ready = conditionOf(pod.status?.conditions, 'Ready');
  const deletedMs = timeOf(deletionTimestamp);
  return (
    containersEndedMs(pod) ??
    (ready?.status === 'False' ? timeOf(ready.lastTransitionTime) : undefined) ??
    (deletedMs === undefined ? undefined : deletedMs - deletionGracePeriodSeconds * 1000) ??
    timeOf(creationTimestamp) ??
    0
  );
}

/** Takes the finalizer from a pod. */
export const releaseOf = (pod: PodView): Command => ({
  ...podTarget(pod),
  verb: 'patch',
  type: 'strategic',
  patch: { metadata: { '$deleteFromPrimitiveList/finalizers': [TRACKING] } },
});
