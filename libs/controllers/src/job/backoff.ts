import type { PodView } from '../pod-state.ts';
import { endedMs, failuresBefore, isFailed, isSucceeded, type JobView } from './job-pod.ts';

/** After one failure; each further one doubles it. */
const BACKOFF_MS_MIN = 10_000;
const BACKOFF_MS_MAX = 10 * 60_000;

function remainingMs(failures: number, lastFailureMs: number, nowMs: number): number {
  if (failures === 0) return 0;
  const backoffMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** (failures - 1));
  return Math.max(0, lastFailureMs + backoffMs - nowMs);
}

const latest = (times: readonly number[]): number =>
  times.reduce((newest, time) => Math.max(newest, time), Number.NEGATIVE_INFINITY);

/**
 * Milliseconds until a Job may have new pods: failures since its last success put that off. Read from the pods that are
 * there, so that it outlives the controller. https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-backoff-failure-policy
 */
export function backoffMs(job: JobView, pods: readonly PodView[], nowMs: number): number {
  const lastSuccessMs = latest(pods.filter(isSucceeded).map(endedMs));
  const failures = pods
    .filter((pod) => isFailed(pod, job))
    .map(endedMs)
    .filter((failedMs) => failedMs > lastSuccessMs);
  return remainingMs(failures.length, latest(failures), nowMs);
}

/** Milliseconds until an index may have a pod in place of `last`, which failed. */
export function indexBackoffMs(last: PodView | undefined, nowMs: number): number {
  if (!last) return 0;
  const { counted, ignored } = failuresBefore(last);
  return remainingMs(counted + ignored + 1, endedMs(last), nowMs);
}
