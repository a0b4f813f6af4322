import { type CronJob, cronJob, type Job, job as jobKind, timeZoneProblem } from '@periplus/api';
import { controllerOf, type DeepReadonly, formatTime, ownerReferenceTo } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import { type Controller, defineController, idle, type Plan, type PlannedEvent } from '@periplus/reconcile';
import { isNamespaceEnding } from '../ending-namespace.ts';
import type { JobView } from '../job/job-pod.ts';
import { setStatusOfVersion } from '../status-change.ts';
import { type CronJobRecord, jobName, recordOf, SCHEDULED_AT } from './cron-job-record.ts';
import { type CronJobView, timetableOf } from './missed-times.ts';
import { formatInZone } from './schedule-times.ts';

/** What is done at a time, beside keeping the record. */
interface Start {
  create: Command[];
  /** Jobs that make room. */
  replaced: readonly JobView[];
  scheduledMs: number | undefined;
  events: PlannedEvent[];
  lookAgainMs?: number;
}

const nothing: Start = { create: [], replaced: [], scheduledMs: undefined, events: [] };

/**
 * Starts Jobs on a schedule. `localZone` is what CronJobs without time zone mean.
 * https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
 */
export const cronJobController = (localZone: string): Controller<CronJob> =>
  defineController<CronJob>({
    name: 'cronjob',
    for: cronJob,
    owns: [jobKind],
    reconcile({ namespace, name }, view) {
      const cron = view.get(cronJob, namespace, name);
      if (!cron) return idle;
      const jobs = view
        .owned(jobKind, cron.metadata.uid ?? '')
        .filter((one) => controllerOf(one)?.uid === cron.metadata.uid);
      const record = recordOf(cron, jobs);
      const start = cron.metadata.deletionTimestamp ? nothing : startOf(cron, record, localZone, view);
      return planOf(cron, record, start);
    },
  });

const eventAbout =
  (cron: CronJobView) =>
  (type: 'Normal' | 'Warning', reason: string, message: string): PlannedEvent => ({
    ...{ about: cron, type, reason, message },
  });

function startOf(cron: CronJobView, record: CronJobRecord, localZone: string, view: View): Start {
  const { spec } = cron;
  if (spec.suspend || isNamespaceEnding(view, cron.metadata.namespace ?? '')) return nothing;
  const event = eventAbout(cron);
  const zone = spec.timeZone ?? localZone;
  const problem = timeZoneProblem(zone);
  if (problem) {
    const message = `invalid timeZone: ${JSON.stringify(zone)}: ${problem}`;
    return { ...nothing, events: [event('Warning', 'UnknownTimeZone', message)] };
  }
  const times = timetableOf(cron, zone, view.nowMs);
  if (typeof times === 'string') {
    const message = `unparseable schedule: ${JSON.stringify(spec.schedule)} : ${times}`;
    return { ...nothing, events: [event('Warning', 'UnparseableSchedule', message)] };
  }
  const { dueMs, missedMany, nextInMs } = times;
  const waiting: Start = { ...nothing, lookAgainMs: nextInMs };
  if (dueMs === undefined || formatTime(dueMs) === record.lastScheduleTime) return waiting;
  const events: PlannedEvent[] = [];
  if (missedMany) {
    const advice = 'Set or decrease .spec.startingDeadlineSeconds or check clock skew';
    events.push(event('Warning', 'TooManyMissedTimes', `too many missed start times. ${advice}`));
  }
  // Another's, or started and not recorded: the record sees to that.
  if (view.get(jobKind, cron.metadata.namespace ?? '', jobName(cron, dueMs))) return { ...waiting, events };
  if (spec.concurrencyPolicy === 'Forbid' && record.active.length > 0) {
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid';
    return { ...waiting, events: [...events, event('Normal', 'JobAlreadyActive', message)] };
  }
  const create = creation(cron, dueMs, zone);
  return {
    create: [create],
    replaced: spec.concurrencyPolicy === 'Replace' ? record.active : [],
    scheduledMs: dueMs,
    events: [
      ...events,
      { ...event('Normal', 'SuccessfulCreate', `Created job ${create.name}`), after: create },
      { ...event('Warning', 'FailedCreate', 'Error creating job'), onRefusalOf: create },
    ],
    lookAgainMs: nextInMs,
  };
}

function creation(cron: CronJobView, atMs: number, zone: string): Command {
  const { metadata, spec } = cron.spec.jobTemplate;
  const namespace = cron.metadata.namespace ?? '';
  const name = jobName(cron, atMs);
  const object = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      ...{ name, namespace, labels: metadata?.labels },
      annotations: { ...metadata?.annotations, [SCHEDULED_AT]: formatInZone(atMs, zone) },
      ownerReferences: [ownerReferenceTo(cron, cronJob)],
    },
    spec,
  } as DeepReadonly<Job>;
  return { verb: 'create', kind: jobKind, namespace, name, object };
}

const removal = ({ metadata }: JobView): Command => ({
  ...{ verb: 'delete', kind: jobKind, namespace: metadata.namespace ?? '', name: metadata.name ?? '' },
  ...{ ifUid: metadata.uid, propagationPolicy: 'Background' },
});

function planOf(cron: CronJobView, record: CronJobRecord, start: Start): Plan {
  const { scheduledMs, replaced, create } = start;
  const event = eventAbout(cron);
  const active = record.references.filter(({ uid }) => !replaced.some(({ metadata }) => metadata.uid === uid));
  const status = {
    active: active.length > 0 ? active : undefined,
    lastScheduleTime: scheduledMs === undefined ? record.lastScheduleTime : formatTime(scheduledMs),
    lastSuccessfulTime: record.lastSuccessfulTime,
  };
  const removals = [...replaced, ...record.outdated].map(removal);
  const steps = [removals, create, setStatusOfVersion(cronJob, cron, status)];
  return {
    steps: steps.filter((step) => step.length > 0),
    lookAgainMs: start.lookAgainMs,
    events: [
      ...record.news.map(({ type, reason, message }) => event(type, reason, message)),
      ...removals.flatMap((command) => [
        { ...event('Normal', 'SuccessfulDelete', `Deleted job ${command.name}`), after: command },
        { ...event('Warning', 'FailedDelete', 'Deleted job'), onRefusalOf: command },
      ]),
      ...start.events,
    ],
  };
}
