import { conditionOf, formatTime, parseTime } from '@periplus/apimachinery';
import type { JobView } from '../job/job-pod.ts';
import { isFinished } from '../job/job-verdict.ts';
import type { CronJobView } from './missed-times.ts';

/** https://kubernetes.io/docs/reference/labels-annotations-taints/#batch-kubernetesio-cronjob-scheduled-timestamp */
export const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp';

type References = NonNullable<NonNullable<CronJobView['status']>['active']>;

/** What is known of a CronJob's Jobs. */
export interface CronJobRecord {
  active: readonly JobView[];
  /** The same, as the status names them. */
  references: References;
  lastScheduleTime: string | undefined;
  lastSuccessfulTime: string | undefined;
  /** Finished Jobs beyond the limits of the history. */
  outdated: readonly JobView[];
  /** What is told about it. */
  news: readonly { type: 'Normal' | 'Warning'; reason: string; message: string }[];
}

const MINUTE_MS = 60_000;

/** One name for one time, so that nothing is started twice at it. */
export const jobName = ({ metadata }: CronJobView, atMs: number): string =>
  `${metadata.name}-${Math.floor(atMs / MINUTE_MS)}`;

/** The time for which a Job was started; undefined when its name says that it was not. */
function scheduledTimeOf(cron: CronJobView, { metadata }: JobView): string | undefined {
  const atMs = parseTime(metadata.annotations?.[SCHEDULED_AT] ?? '');
  return atMs !== undefined && metadata.name === jobName(cron, atMs) ? formatTime(atMs) : undefined;
}

const referenceTo = ({ metadata }: JobView): References[number] => ({
  ...{ kind: 'Job', apiVersion: 'batch/v1', namespace: metadata.namespace, name: metadata.name },
  ...{ uid: metadata.uid, resourceVersion: metadata.resourceVersion },
});

const succeeded = ({ status }: JobView): boolean => conditionOf(status?.conditions, 'Complete')?.status === 'True';

/** The later of two times. */
function later(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return (parseTime(other) ?? 0) > (parseTime(one) ?? 0) ? other : one;
}

const startedMs = ({ status }: JobView): number => parseTime(status?.startTime ?? '') ?? Number.POSITIVE_INFINITY;
const oldestFirst = (a: JobView, b: JobView): number => {
  const [one, other] = [startedMs(a), startedMs(b)];
  return one === other ? ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1) : one - other;
};

const beyond = (jobs: readonly JobView[], limit: number | undefined): readonly JobView[] =>
  limit === undefined ? [] : [...jobs].sort(oldestFirst).slice(0, Math.max(0, jobs.length - limit));

/** Brings what the status says up to what the Jobs that a CronJob controls show. */
export function recordOf(cron: CronJobView, jobs: readonly JobView[]): CronJobRecord {
  const { metadata, spec, status = {} } = cron;
  const known = new Set((status.active ?? []).map(({ uid }) => uid));
  const news: CronJobRecord['news'][number][] = [];
  let { lastScheduleTime, lastSuccessfulTime } = status as { lastScheduleTime?: string; lastSuccessfulTime?: string };
  const active: JobView[] = [];
  for (const job of jobs) {
    const { uid, name, deletionTimestamp } = job.metadata;
    // It may have been started and not written down, because the controller died.
    const scheduledAt = scheduledTimeOf(cron, job);
    lastScheduleTime = later(lastScheduleTime, scheduledAt);
    if (isFinished(job)) {
      const condition = succeeded(job) ? 'Complete' : 'Failed';
      const message = `Saw completed job: ${name}, condition: ${condition}`;
      if (known.has(uid)) news.push({ type: 'Normal', reason: 'SawCompletedJob', message });
      if (succeeded(job)) lastSuccessfulTime = later(lastSuccessfulTime, job.status?.completionTime);
    } else if (known.has(uid) || (scheduledAt && !deletionTimestamp)) active.push(job);
    else if (!deletionTimestamp) {
      const message = `Saw a job that the controller did not create or forgot: ${name}`;
      news.push({ type: 'Warning', reason: 'UnexpectedJob', message });
    }
  }
  const present = new Set(jobs.map((job) => job.metadata.uid));
  for (const { uid, name } of status.active ?? []) {
    if (present.has(uid)) continue;
    news.push({ type: 'Normal', reason: 'MissingJob', message: `Active job went missing: ${name}` });
  }
  const finished = jobs.filter((job) => isFinished(job) && !job.metadata.deletionTimestamp);
  const isGoing = metadata.deletionTimestamp !== undefined;
  return {
    ...{ active, lastScheduleTime, lastSuccessfulTime, news },
    references: active.map((job) => status.active?.find(({ uid }) => uid === job.metadata.uid) ?? referenceTo(job)),
    outdated: isGoing
      ? []
      : [
          ...beyond(finished.filter(succeeded), spec.successfulJobsHistoryLimit),
          ...beyond(
            finished.filter((job) => !succeeded(job)),
            spec.failedJobsHistoryLimit,
          ),
        ],
  };
}
