import { conditionOf, isConditionTrue, parseTime } from '@periplus/apimachinery';
import { isFailed, isIndexed, type JobView } from './job-pod.ts';
import type { Tally } from './job-tally.ts';
import { judge } from './pod-failure-policy.ts';
import { fulfilledRule } from './success-policy.ts';

/** How a Job is going to end, and why. Stands in its status before the Job has ended. */
export interface Verdict {
  type: 'SuccessCriteriaMet' | 'FailureTarget';
  reason: string;
  message: string;
}

export const isFinished = ({ status }: JobView): boolean =>
  isConditionTrue(status?.conditions, 'Complete') || isConditionTrue(status?.conditions, 'Failed');

const failure = (reason: string, message: string): Verdict => ({ type: 'FailureTarget', reason, message });

/** Milliseconds until the Job's time is up; undefined when it has any amount of it, or starts anew when it is resumed. */
export function deadlineInMs({ spec, status }: JobView, nowMs: number): number | undefined {
  const startMs = parseTime(status?.startTime ?? '');
  const isPaused = spec.suspend || isConditionTrue(status?.conditions, 'Suspended');
  if (spec.activeDeadlineSeconds === undefined || startMs === undefined || isPaused) return undefined;
  return startMs + spec.activeDeadlineSeconds * 1000 - nowMs;
}

/** The verdict that stands already. */
function standingVerdict({ status }: JobView): Verdict | undefined {
  for (const type of ['SuccessCriteriaMet', 'FailureTarget'] as const) {
    const condition = conditionOf(status?.conditions, type);
    if (condition?.status === 'True') {
      return { type, reason: condition.reason ?? '', message: condition.message ?? '' };
    }
  }
  return undefined;
}

/** Containers that are restarted in place count as well. */
function restartsReachLimit({ job, pods }: Tally): boolean {
  const { template, backoffLimit = 0 } = job.spec;
  if (template?.spec?.restartPolicy !== 'OnFailure') return false;
  let restarts = 0;
  for (const { status } of pods) {
    if (status?.phase !== 'Running' && status?.phase !== 'Pending') continue;
    for (const { restartCount } of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) {
      restarts += restartCount ?? 0;
    }
  }
  return restarts > 0 && restarts >= backoffLimit;
}

function failureByPolicy({ job, pods }: Tally): Verdict | undefined {
  const { podFailurePolicy } = job.spec;
  if (!podFailurePolicy) return undefined;
  for (const pod of pods) {
    const message = isFailed(pod, job) ? judge(podFailurePolicy, pod).failsJob : undefined;
    if (message !== undefined) return failure('PodFailurePolicy', message);
  }
  return undefined;
}

function failureByIndexes({ job, failedIndexes, succeededIndexes }: Tally): Verdict | undefined {
  const { maxFailedIndexes, completions = 0 } = job.spec;
  if (!failedIndexes || failedIndexes.size === 0) return undefined;
  if (maxFailedIndexes !== undefined && failedIndexes.size > maxFailedIndexes) {
    return failure('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes');
  }
  if (failedIndexes.size + succeededIndexes.size < completions) return undefined;
  return failure('FailedIndexes', 'Job has failed indexes');
}

/** How the Job is going to end by what is known of its pods; undefined while that is open. */
export function verdictOf(tally: Tally, nowMs: number): Verdict | undefined {
  const { job, total, succeededIndexes } = tally;
  const certain = standingVerdict(job) ?? failureByPolicy(tally);
  if (certain) return certain;
  if (total.failed > (job.spec.backoffLimit ?? 0) || restartsReachLimit(tally)) {
    return failure('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  }
  if ((deadlineInMs(job, nowMs) ?? 1) <= 0) {
    return failure('DeadlineExceeded', 'Job was active longer than specified deadline');
  }
  const byIndexes = failureByIndexes(tally);
  if (byIndexes) return byIndexes;
  const rule = isIndexed(job) ? fulfilledRule(job, succeededIndexes) : undefined;
  return rule === undefined ? undefined : { type: 'SuccessCriteriaMet', reason: 'SuccessPolicy', message: rule };
}

/** All pods that should have did succeed, or one where nobody says how many should, and none is left that runs. */
export function completionOf({ job, total, active }: Tally): Verdict | undefined {
  if (active.length > 0 || total.succeeded < (job.spec.completions ?? 1)) return undefined;
  return {
    type: 'SuccessCriteriaMet',
    reason: 'CompletionsReached',
    message: 'Reached expected number of succeeded pods',
  };
}
