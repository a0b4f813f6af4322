import { ageOf, type DeepReadonly, type FieldPath } from '@periplus/apimachinery';
import type { ICronJob } from 'kubernetes-models/batch/v1/CronJob';
import { isNews, warnOfName } from '../apps/workload-warnings.ts';
import { ageColumn, formatSelector, nameColumn, orNone } from '../columns.ts';
import { defineKind } from '../define.ts';
import { checkNonNegative, checkOneOf, type Errors } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import { setPodTemplateDefaults } from '../pod-spec/defaults.ts';
import { containerColumns } from '../pod-spec/template-columns.ts';
import type { Stored } from '../stored.ts';
import { scheduleProblem } from './cron-schedule.ts';
import { checkJobSpec, warnOfJobSpec } from './job-spec.ts';
import { timeZoneProblem } from './time-zone.ts';

export type CronJob = Stored<ICronJob, 'spec'>;

type Spec = DeepReadonly<CronJob>['spec'];

const CONCURRENCY_POLICIES = ['Allow', 'Forbid', 'Replace'];
const COUNTS = ['startingDeadlineSeconds', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit'] as const;
/** A label of DNS without what its Jobs' names have behind: a dash and the minute. */
const NAME_LENGTH_MAX = 52;

function checkSchedule(errors: Errors, at: FieldPath, { schedule }: Spec): void {
  const place = at.child('schedule');
  if (!schedule) {
    errors.push(place.required());
    return;
  }
  const zone = /^(?:CRON_)?TZ=/.test(schedule);
  const problem = zone ? undefined : scheduleProblem(schedule);
  if (problem) errors.push(place.invalid(schedule, problem));
  if (schedule.includes('TZ')) {
    errors.push(place.invalid(schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'));
  }
}

function checkJobTemplate(errors: Errors, at: FieldPath, { jobTemplate }: Spec): void {
  const spec = jobTemplate?.spec;
  if (!spec) return;
  const place = at.child('jobTemplate', 'spec');
  checkJobSpec(errors, place, spec);
  if (spec.selector) errors.push(place.child('selector').invalid(spec.selector, '`selector` will be auto-generated'));
  if (spec.manualSelector) errors.push(place.child('manualSelector').notSupported(true, ['nil', 'false']));
}

function check(errors: Errors, at: FieldPath, { spec }: DeepReadonly<CronJob>): void {
  const place = at.child('spec');
  checkSchedule(errors, place, spec);
  const problem = spec.timeZone === undefined ? undefined : timeZoneProblem(spec.timeZone);
  if (problem) errors.push(place.child('timeZone').invalid(spec.timeZone, problem));
  checkOneOf(errors, place, 'concurrencyPolicy', spec.concurrencyPolicy, CONCURRENCY_POLICIES);
  checkJobTemplate(errors, place, spec);
  for (const count of COUNTS) checkNonNegative(errors, place, count, spec[count]);
}

function checkNew(errors: Errors, at: FieldPath, { metadata }: DeepReadonly<CronJob>): void {
  const { name = '' } = metadata;
  if (name.length <= NAME_LENGTH_MAX) return;
  errors.push(at.child('metadata', 'name').invalid(name, `must be no more than ${NAME_LENGTH_MAX} characters`));
}

/** https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ */
export const cronJob = defineKind<CronJob>({
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  plural: 'cronjobs',
  shortNames: ['cj'],
  categories: ['all'],
  namespaced: true,
  generation: true,
  columns: [
    nameColumn,
    {
      name: 'Schedule',
      type: 'string',
      description: fieldText('batch/v1.CronJobSpec.schedule'),
      of: ({ spec }) => spec.schedule,
    },
    {
      name: 'Timezone',
      type: 'string',
      description: fieldText('batch/v1.CronJobSpec.timeZone'),
      of: ({ spec }) => orNone(spec.timeZone),
    },
    {
      name: 'Suspend',
      type: 'boolean',
      description: fieldText('batch/v1.CronJobSpec.suspend'),
      of: ({ spec }) => (spec.suspend === undefined ? '<unset>' : spec.suspend ? 'True' : 'False'),
    },
    {
      name: 'Active',
      type: 'integer',
      description: fieldText('batch/v1.CronJobStatus.active'),
      of: ({ status }) => status?.active?.length ?? 0,
    },
    {
      name: 'Last Schedule',
      type: 'string',
      description: fieldText('batch/v1.CronJobStatus.lastScheduleTime'),
      of: ({ status }, nowMs) => (status?.lastScheduleTime ? ageOf(status.lastScheduleTime, nowMs) : '<none>'),
    },
    ageColumn,
    ...containerColumns<CronJob>(({ spec }) => spec.jobTemplate?.spec?.template),
    {
      name: 'Selector',
      type: 'string',
      priority: 1,
      description: fieldText('batch/v1.JobSpec.selector'),
      of: ({ spec }) => formatSelector(spec.jobTemplate?.spec?.selector),
    },
  ],
  check,
  checkNew,
  warn(warnings, at, cronJob, old) {
    if (old === null) warnOfName(warnings, at, cronJob);
    const { spec } = cronJob.spec.jobTemplate;
    if (spec && isNews(cronJob, old)) warnOfJobSpec(warnings, at.child('spec', 'jobTemplate', 'spec'), spec);
  },
  setDefaults(cronJob) {
    cronJob.spec ??= {} as CronJob['spec'];
    cronJob.status ??= {};
    const { spec } = cronJob;
    spec.schedule ??= '';
    spec.concurrencyPolicy ||= 'Allow';
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    spec.jobTemplate ??= {};
    spec.jobTemplate.metadata ??= {};
    spec.jobTemplate.spec ??= {} as NonNullable<typeof spec.jobTemplate.spec>;
    spec.jobTemplate.spec.template ??= {};
    setPodTemplateDefaults(spec.jobTemplate.spec.template);
  },
});
