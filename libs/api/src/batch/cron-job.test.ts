import { describe, expect, it } from 'vitest';
import { created, createProblems, updateProblems } from '../testing/objects.ts';
import { type CronJob, cronJob } from './cron-job.ts';
import { scheduleProblem } from './cron-schedule.ts';
import { timeZoneProblem } from './time-zone.ts';

type Spec = CronJob['spec'];

const jobTemplate = (spec: object = {}): Spec['jobTemplate'] => ({
  spec: { template: { spec: { containers: [{ name: 'main', image: 'i' }], restartPolicy: 'OnFailure' } }, ...spec },
});
const aCronJob = (spec: Partial<Spec> = {}, name = 'sums'): CronJob => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name, namespace: 'shop' },
  spec: { schedule: '*/5 * * * *', jobTemplate: jobTemplate(), ...spec },
});

describe('a new cron job', () => {
  it('gets defaults, and leaves those of its jobs to them', () => {
    const { metadata, spec, status } = created(cronJob, aCronJob());
    expect(spec).toMatchObject({
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      jobTemplate: { spec: { template: { spec: { dnsPolicy: 'ClusterFirst' } } } },
    });
    expect(spec.jobTemplate.spec).not.toHaveProperty('completions');
    expect([metadata.generation, status]).toEqual([1, {}]);
  });

  it.each<[string, Partial<Spec>, string[]]>([
    ['as people write it', {}, []],
    ['in another time zone', { timeZone: 'Europe/Berlin' }, []],
    ['without a schedule', { schedule: '' }, ['spec.schedule: Required value']],
    [
      'with a schedule of four fields',
      { schedule: '* * * *' },
      ['spec.schedule: Invalid value: "* * * *": expected exactly 5 fields, found 4: [* * * *]'],
    ],
    [
      'with a time zone in the schedule',
      { schedule: 'TZ=UTC 0 * * * *' },
      [
        'spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
      ],
    ],
    ['nowhere', { timeZone: 'Atlantis' }, ['spec.timeZone: Invalid value: "Atlantis": unknown time zone Atlantis']],
    [
      'with a policy that there is not',
      { concurrencyPolicy: 'Some' as never },
      ['spec.concurrencyPolicy: Unsupported value: "Some": supported values: "Allow", "Forbid", "Replace"'],
    ],
    [
      'with numbers below zero',
      { startingDeadlineSeconds: -1, failedJobsHistoryLimit: -1 },
      [
        'spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0',
        'spec.failedJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0',
      ],
    ],
    [
      'that says how its jobs are selected',
      { jobTemplate: jobTemplate({ manualSelector: true, selector: { matchLabels: { a: 'b' } } }) },
      [
        'spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` will be auto-generated',
        'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"',
      ],
    ],
    [
      'whose jobs could not be',
      { jobTemplate: jobTemplate({ parallelism: -1 }) },
      ['spec.jobTemplate.spec.parallelism: Invalid value: -1: must be greater than or equal to 0'],
    ],
  ])('%s', (_what, spec, expected) => {
    expect(createProblems(cronJob, aCronJob(spec))).toEqual(expected);
  });

  it('has a name to which the minute can be added', () => {
    const name = 'n'.repeat(53);
    expect(createProblems(cronJob, aCronJob({}, name))).toEqual([
      `metadata.name: Invalid value: "${name}": must be no more than 52 characters`,
    ]);
  });

  it('may change in everything', () => {
    const change = ({ spec }: CronJob) => Object.assign(spec, { schedule: '@daily', suspend: true });
    expect(updateProblems(cronJob, aCronJob(), change)).toEqual([]);
  });
});

describe('a schedule', () => {
  it.each([
    '* * * * *',
    '0 0 1 1 0',
    '59 23 31 12 6',
    '*/15 0-6/2 ? JAN-dec MON,wed,FRI',
    '0,30 8-18 * * mon-fri',
    '5/10 * * * *',
    '@hourly',
    '@midnight',
    '@every 1h30m',
    '@every 1.5s',
  ])('may be %s', (schedule) => {
    expect(scheduleProblem(schedule)).toBeUndefined();
  });

  it.each([
    ['60 * * * *', 'end of range (60) above maximum (59): 60'],
    ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['* * * * 7', 'end of range (7) above maximum (6): 7'],
    ['30-10 * * * *', 'beginning of range (30) beyond end of range (10): 30-10'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
    ['1/2/3 * * * *', 'too many slashes: 1/2/3'],
    ['a * * * *', 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
    ['* * * foo *', 'failed to parse int from foo: strconv.Atoi: parsing "foo": invalid syntax'],
    ['0 0 * * * *', 'expected exactly 5 fields, found 6: [0 0 * * * *]'],
    ['@never', 'unrecognized descriptor: @never'],
    ['@every day', 'failed to parse duration @every day: time: invalid duration "day"'],
    ['@every 5', 'failed to parse duration @every 5: time: missing unit in duration "5"'],
    ['@every 5d', 'failed to parse duration @every 5d: time: unknown unit "d" in duration "5d"'],
  ])('may not be %s', (schedule, problem) => {
    expect(scheduleProblem(schedule)).toBe(problem);
  });
});

describe('a time zone', () => {
  it.each(['UTC', 'Etc/UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])('may be %s', (zone) => {
    expect(timeZoneProblem(zone)).toBeUndefined();
  });

  it.each([
    ['', 'timeZone must be nil or non-empty string'],
    ['local', 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'],
    ['Europe/Atlantis', 'unknown time zone Europe/Atlantis'],
    ['../etc/passwd', 'unknown time zone ../etc/passwd'],
    ['+01:00', 'unknown time zone +01:00'],
  ])('may not be %j', (zone, problem) => {
    expect(timeZoneProblem(zone)).toBe(problem);
  });
});
