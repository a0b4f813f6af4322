/**
 * Counts the pods of a Job, each once, whatever dies on the way. A pod that ended is written down by its uid first
 * (`uncountedTerminatedPods`, or its index), then its finalizer goes, and what is written down and has none any more is
 * added to the counts. https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-tracking-with-finalizers
 */
import { isActive, isReady, type PodView } from '../pod-state.ts';
import { IndexSet } from './index-set.ts';
import {
  endedMs,
  failuresBefore,
  indexOf,
  isDecided,
  isFailed,
  isIndexed,
  isSucceeded,
  isTerminating,
  isTracked,
  type JobView,
} from './job-pod.ts';
import { judge } from './pod-failure-policy.ts';

/** Pods that are written down at once at most, so that a status stays small. */
const UNCOUNTED_MAX = 500;

/** What the pods and the status of a Job say together, before anything is decided. */
export interface Tally {
  job: JobView;
  pods: readonly PodView[];
  active: readonly PodView[];
  ready: number;
  terminating: number;
  /** Written down, and not yet without finalizer. */
  uncounted: { succeeded: readonly string[]; failed: readonly string[] };
  /** Counted for good. */
  counted: { succeeded: number; failed: number };
  /** Pods that ended, counted or not. */
  total: { succeeded: number; failed: number };
  /** Of an indexed Job: written down as succeeded, and all that did. */
  recordedIndexes: IndexSet;
  succeededIndexes: IndexSet;
  /** Only with a backoff limit per index. */
  failedIndexes: IndexSet | undefined;
  /** The pod that failed last of each index that is to be tried again: kept until the next one is there to tell how often. */
  awaitingReplacement: ReadonlyMap<number, PodView>;
}

export function tallyOf(job: JobView, pods: readonly PodView[]): Tally {
  const { spec, status = {} } = job;
  const tracked = pods.filter(isTracked);
  const active = pods.filter(isActive);
  const trackedUids = new Set(tracked.map(({ metadata }) => metadata.uid ?? ''));
  const { succeeded: uncountedSucceeded = [], failed: uncountedFailed = [] } = status.uncountedTerminatedPods ?? {};
  const isOpen = (uid: string): boolean => trackedUids.has(uid);
  const uncounted = { succeeded: uncountedSucceeded.filter(isOpen), failed: uncountedFailed.filter(isOpen) };
  const counted = {
    succeeded: (status.succeeded ?? 0) + uncountedSucceeded.length - uncounted.succeeded.length,
    failed: (status.failed ?? 0) + uncountedFailed.length - uncounted.failed.length,
  };
  const known = new Set([...uncounted.succeeded, ...uncounted.failed]);
  const isNew = (pod: PodView): boolean =>
    !known.has(pod.metadata.uid ?? '') && (!isIndexed(job) || indexOf(pod, job) !== undefined);
  const newSucceeded = tracked.filter((pod) => isSucceeded(pod) && isNew(pod));
  const newFailed = tracked.filter((pod) => isFailed(pod, job) && isNew(pod));
  const countedFailures = newFailed.filter((pod) => judge(spec.podFailurePolicy, pod).counts);
  const recordedIndexes = IndexSet.parse(status.completedIndexes, spec.completions ?? 0);
  const succeededIndexes = recordedIndexes.with(
    isIndexed(job) ? newSucceeded.map((pod) => indexOf(pod, job) as number) : [],
  );
  const failedIndexes = failedIndexesOf(job, tracked);
  return {
    ...{ job, pods, active, uncounted, counted, recordedIndexes, succeededIndexes, failedIndexes },
    ready: active.filter(isReady).length,
    terminating: pods.filter(isTerminating).length,
    total: {
      succeeded: isIndexed(job)
        ? succeededIndexes.size
        : counted.succeeded + uncounted.succeeded.length + newSucceeded.length,
      failed: counted.failed + uncounted.failed.length + countedFailures.length,
    },
    awaitingReplacement: awaitingReplacement(job, tracked, [
      succeededIndexes.union(failedIndexes ?? IndexSet.parse('', 0)),
      new Set(active.map((pod) => indexOf(pod, job))),
    ]),
  };
}

function failedIndexesOf(job: JobView, tracked: readonly PodView[]): IndexSet | undefined {
  const { backoffLimitPerIndex, podFailurePolicy, completions = 0 } = job.spec;
  if (backoffLimitPerIndex === undefined) return undefined;
  const recorded = IndexSet.parse(job.status?.failedIndexes, completions);
  // From then on pods are cut short: their indexes have not failed.
  if (isDecided(job)) return recorded;
  const failed = tracked.filter((pod) => {
    if (indexOf(pod, job) === undefined || !isFailed(pod, job)) return false;
    const { counts, failsIndex } = judge(podFailurePolicy, pod);
    return failsIndex || (counts && failuresBefore(pod).counted >= backoffLimitPerIndex);
  });
  return recorded.with(failed.map((pod) => indexOf(pod, job) as number));
}

const failuresUntil = (pod: PodView): number => failuresBefore(pod).counted + failuresBefore(pod).ignored;

function awaitingReplacement(
  job: JobView,
  tracked: readonly PodView[],
  [decided, active]: [IndexSet, ReadonlySet<number | undefined>],
): Map<number, PodView> {
  const last = new Map<number, PodView>();
  if (job.spec.backoffLimitPerIndex === undefined) return last;
  for (const pod of tracked) {
    const index = indexOf(pod, job);
    if (index === undefined || !isFailed(pod, job) || decided.has(index) || active.has(index)) continue;
    const other = last.get(index);
    if (!other || (failuresUntil(other) <= failuresUntil(pod) && endedMs(other) <= endedMs(pod))) last.set(index, pod);
  }
  return last;
}

/** What is to be written down, and the pods that need their finalizer no more once it is. */
export interface Recording {
  uncounted: { succeeded: readonly string[]; failed: readonly string[] };
  indexes: IndexSet;
  released: readonly PodView[];
}

/**
 * Decides what to write down. `ending`: the Job is to fail or to succeed, so that no pod of it is waited for any more;
 * when it fails, those that were cut short count as failed.
 */
export function record(tally: Tally, ending: 'failing' | 'succeeding' | undefined): Recording {
  const { job } = tally;
  const succeeded = [...tally.uncounted.succeeded];
  const failed = [...tally.uncounted.failed];
  const known = new Set([...succeeded, ...failed]);
  const indexes: number[] = [];
  const released: PodView[] = [];
  for (const pod of tally.pods) {
    if (succeeded.length + failed.length + indexes.length >= UNCOUNTED_MAX) break;
    if (!isTracked(pod) || !mayGo(pod, tally, ending)) continue;
    released.push(pod);
    const uid = pod.metadata.uid ?? '';
    const index = indexOf(pod, job);
    if (known.has(uid) || (isIndexed(job) && index === undefined)) continue;
    if (isSucceeded(pod)) {
      if (!isIndexed(job)) succeeded.push(uid);
      else if (!tally.recordedIndexes.has(index as number)) indexes.push(index as number);
    } else if (isCutShort(pod, job, ending) && judge(job.spec.podFailurePolicy, pod).counts) failed.push(uid);
  }
  return { uncounted: { succeeded, failed }, indexes: tally.recordedIndexes.with(indexes), released };
}

/** Whether a pod that has not succeeded counts as a failure. */
function isCutShort(pod: PodView, job: JobView, ending: 'failing' | 'succeeding' | undefined): boolean {
  if (ending === 'failing') return true;
  // What a Job that succeeds deletes has not failed.
  return ending === 'succeeding' ? pod.status?.phase === 'Failed' : isFailed(pod, job);
}

/** Whether a pod may go once it is written down. */
function mayGo(pod: PodView, tally: Tally, ending: 'failing' | 'succeeding' | undefined): boolean {
  const { job, awaitingReplacement } = tally;
  if (job.metadata.deletionTimestamp || isSucceeded(pod)) return true;
  // It is deleted first, so that it never runs uncounted.
  if (ending) return !isActive(pod);
  const index = indexOf(pod, job);
  return isFailed(pod, job) && (index === undefined || awaitingReplacement.get(index) !== pod);
}
