import type { Job } from '@periplus/api';
import { conditionOf, type DeepReadonly, formatTime, withoutCondition } from '@periplus/apimachinery';
import { unlessZero } from '../status-change.ts';
import { isIndexed, type JobView } from './job-pod.ts';
import type { Recording, Tally } from './job-tally.ts';
import type { Verdict } from './job-verdict.ts';

type Status = NonNullable<DeepReadonly<Job>['status']>;
type Condition = NonNullable<Status['conditions']>[number];

/** What a reconcile comes to. */
export interface Outcome {
  verdict: Verdict | undefined;
  /** Nothing of the Job is left: the verdict comes true. */
  ended: boolean;
  /** 'suspended' and 'resumed' when that is news. */
  turned: 'suspended' | 'resumed' | undefined;
}

/** A Job is suspended, or is so no more. One that never was has no such condition. */
export function turnOf({ spec, status }: JobView): Outcome['turned'] {
  const present = conditionOf(status?.conditions, 'Suspended')?.status;
  if (spec.suspend) return present === 'True' ? undefined : 'suspended';
  return present === 'True' ? 'resumed' : undefined;
}

function conditionsOf({ status }: JobView, { verdict, ended, turned }: Outcome, now: string): readonly Condition[] {
  let conditions = status?.conditions ?? [];
  const put = (type: string, value: 'True' | 'False', reason: string, message: string): void => {
    const times = { lastProbeTime: now, lastTransitionTime: now };
    conditions = [...withoutCondition(conditions, type), { type, status: value, ...times, reason, message }];
  };
  if (turned === 'suspended') put('Suspended', 'True', 'JobSuspended', 'Job suspended');
  if (turned === 'resumed') put('Suspended', 'False', 'JobResumed', 'Job resumed');
  if (!verdict) return conditions;
  const { type, reason, message } = verdict;
  if (conditionOf(conditions, type)?.status !== 'True') put(type, 'True', reason, message);
  if (ended) put(type === 'FailureTarget' ? 'Failed' : 'Complete', 'True', reason, message);
  return conditions;
}

/** A resumed Job has all of its time again. */
function startTimeOf({ spec, status }: JobView, { turned }: Outcome, now: string): string | undefined {
  if (turned === 'resumed') return now;
  return status?.startTime ?? (spec.suspend ? undefined : now);
}

/** The status of a Job once `recording` is written down. https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/job-v1/#JobStatus */
export function jobStatus(tally: Tally, recording: Recording, outcome: Outcome, nowMs: number): Status {
  const { job, active, ready, terminating, counted, failedIndexes } = tally;
  const { uncounted, indexes } = recording;
  const now = formatTime(nowMs);
  const conditions = conditionsOf(job, outcome, now);
  const completed = outcome.ended && outcome.verdict?.type === 'SuccessCriteriaMet';
  const listOf = (uids: readonly string[]): readonly string[] | undefined => (uids.length > 0 ? uids : undefined);
  return {
    startTime: startTimeOf(job, outcome, now),
    completionTime: completed ? now : job.status?.completionTime,
    active: unlessZero(active.length),
    ready,
    terminating,
    succeeded: unlessZero(isIndexed(job) ? indexes.size : counted.succeeded),
    failed: unlessZero(counted.failed),
    completedIndexes: isIndexed(job) && indexes.size > 0 ? indexes.toString() : undefined,
    failedIndexes: failedIndexes?.toString(),
    uncountedTerminatedPods: { succeeded: listOf(uncounted.succeeded), failed: listOf(uncounted.failed) },
    conditions: conditions.length > 0 ? conditions : undefined,
  };
}

/** What of a status must be known before anything else happens. The rest may wait until the pods of a plan are there. */
const DECISIVE = [
  'succeeded',
  'failed',
  'completedIndexes',
  'failedIndexes',
  'uncountedTerminatedPods',
  'conditions',
] as const;

/** The decisive part of a status, for comparison. */
export const decisive = (status: Status | undefined): object =>
  Object.fromEntries(DECISIVE.map((name) => [name, status?.[name]]));
