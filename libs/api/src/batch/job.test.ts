import { FieldPath } from '@periplus/apimachinery';
import { describe, expect, it } from 'vitest';
import { created, createProblems, statusProblems, updateProblems } from '../testing/objects.ts';
import { type Job, job } from './job.ts';

type Spec = Job['spec'];
type Status = NonNullable<Job['status']>;

const UID = '5f2a';
const statusRoot = new FieldPath();
const template = (spec: object = {}): Spec['template'] => ({
  spec: { containers: [{ name: 'main', image: 'work:1' }], restartPolicy: 'Never', ...spec },
});
const aJob = (spec: Partial<Spec> = {}): Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'sums', namespace: 'shop', uid: UID },
  spec: { template: template(), ...spec },
});

const labels = {
  'job-name': 'sums',
  'batch.kubernetes.io/job-name': 'sums',
  'controller-uid': UID,
  'batch.kubernetes.io/controller-uid': UID,
};
const indexed = (completions: number, more: Partial<Spec> = {}): Partial<Spec> => ({
  completionMode: 'Indexed',
  completions,
  ...more,
});
const onExit = (values: number[], more: object = {}) => ({
  action: 'FailJob' as const,
  onExitCodes: { operator: 'In' as const, values, ...more },
});

describe('a new job', () => {
  it('gets defaults, and a selector of its own', () => {
    const { metadata, spec, status } = created(job, aJob());
    expect(spec).toMatchObject({
      completions: 1,
      parallelism: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      suspend: false,
      manualSelector: false,
      podReplacementPolicy: 'TerminatingOrFailed',
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': UID } },
      template: { metadata: { labels } },
    });
    expect([metadata.generation, metadata.labels, status]).toEqual([1, labels, {}]);
  });

  it('leaves completions to the pods when only the number at once is given', () => {
    expect(created(job, aJob({ parallelism: 3 })).spec).not.toHaveProperty('completions');
  });

  it('tries each index for ever when that has a limit of its own', () => {
    expect(created(job, aJob(indexed(3, { backoffLimitPerIndex: 1 }))).spec.backoffLimit).toBe(2147483647);
  });

  it('replaces failed pods only, when their failures decide', () => {
    const podFailurePolicy = { rules: [{ action: 'Ignore' as const, onPodConditions: [{ type: 'X', status: '' }] }] };
    expect(created(job, aJob({ podFailurePolicy })).spec).toMatchObject({
      podReplacementPolicy: 'Failed',
      podFailurePolicy: { rules: [{ onPodConditions: [{ type: 'X', status: 'True' }] }] },
    });
  });

  it.each<[string, Partial<Spec>, string[]]>([
    ['as people write it', {}, []],
    [
      'that runs for ever',
      { template: template({ restartPolicy: undefined }) },
      ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ],
    [
      'with numbers below zero',
      { parallelism: -1, backoffLimit: -1, ttlSecondsAfterFinished: -1 },
      [
        'spec.parallelism: Invalid value: -1: must be greater than or equal to 0',
        'spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0',
        'spec.ttlSecondsAfterFinished: Invalid value: -1: must be greater than or equal to 0',
      ],
    ],
    [
      'that says itself how it is selected',
      {
        manualSelector: true,
        selector: { matchLabels: { a: 'b' } },
        template: { ...template(), metadata: { labels: { a: 'b' } } },
      },
      [],
    ],
    [
      'that leaves out how, though it would say',
      { manualSelector: true },
      [
        'spec.selector: Required value',
        'spec.template.metadata.labels: Invalid value: {}: `selector` does not match template `labels`',
      ],
    ],
    [
      'that claims the pods of another',
      { template: { ...template(), metadata: { labels: { 'controller-uid': 'x' } } } },
      [
        `spec.template.metadata.labels[controller-uid]: Invalid value: ${JSON.stringify({ 'controller-uid': 'x', 'job-name': 'sums', 'batch.kubernetes.io/job-name': 'sums', 'batch.kubernetes.io/controller-uid': UID })}: must be '${UID}'`,
      ],
    ],
    [
      'with a selector that selects others',
      { selector: { matchLabels: { a: 'b' } } },
      [
        `spec.selector: Invalid value: {"matchLabels":{"a":"b","batch.kubernetes.io/controller-uid":"${UID}"}}: \`selector\` not auto-generated`,
        `spec.template.metadata.labels: Invalid value: ${JSON.stringify(labels)}: \`selector\` does not match template \`labels\``,
      ],
    ],
    [
      'that is indexed, and does not say how often',
      { completionMode: 'Indexed', parallelism: 2 },
      ['spec.completions: Required value: when completion mode is Indexed'],
    ],
    [
      'with more pods at once than indexes can be told of',
      indexed(100_001, { parallelism: 100_001 }),
      ['spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed'],
    ],
    [
      'with many indexes and a limit for each',
      indexed(100_001, { parallelism: 10_001, backoffLimitPerIndex: 1 }),
      [
        'spec.maxFailedIndexes: Required value: must be specified when completions is above 100000',
        'spec.parallelism: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index',
      ],
    ],
    [
      'that counts failed indexes without having any',
      { maxFailedIndexes: 1 },
      [
        'spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified',
        'spec.maxFailedIndexes: Invalid value: 1: requires indexed completion mode',
      ],
    ],
    [
      'of a mode that there is not',
      { completionMode: 'Some' as never },
      ['spec.completionMode: Unsupported value: "Some": supported values: "NonIndexed", "Indexed"'],
    ],
    ['managed by another controller', { managedBy: 'example.com/queue' }, []],
    [
      'managed by one without a domain',
      { managedBy: 'queue' },
      ['spec.managedBy: Invalid value: "queue": must be a domain-prefixed path (such as "acme.io/foo")'],
    ],
    [
      'replacing pods in a way that there is not',
      { podReplacementPolicy: 'Never' as never },
      ['spec.podReplacementPolicy: Unsupported value: "Never": supported values: "Failed", "TerminatingOrFailed"'],
    ],
    ['whose failures decide', { podFailurePolicy: { rules: [onExit([1, 42], { containerName: 'main' })] } }, []],
    [
      'whose failures are tried again by the node',
      { podFailurePolicy: { rules: [onExit([1])] }, template: template({ restartPolicy: 'OnFailure' }) },
      [
        'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified',
      ],
    ],
    [
      'with rules on exit codes that make no sense',
      { podFailurePolicy: { rules: [onExit([3, 0, 3], { containerName: 'other' }), onExit([], { operator: 'Is' })] } },
      [
        'spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "other": must be one of the container or initContainer names in the pod template',
        'spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator',
        'spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 3',
        'spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [3,0,3]: must be ordered',
        'spec.podFailurePolicy.rules[1].onExitCodes.operator: Unsupported value: "Is": supported values: "In", "NotIn"',
        'spec.podFailurePolicy.rules[1].onExitCodes.values: Invalid value: []: at least one value is required',
      ],
    ],
    [
      'with rules that are none',
      {
        podFailurePolicy: {
          rules: [
            { action: '' as never },
            { action: 'FailIndex', onPodConditions: [{ type: 'A B', status: 'Maybe' }] },
            { ...onExit([1]), onPodConditions: [{ type: 'X', status: 'True' }] },
          ],
        },
      },
      [
        'spec.podFailurePolicy.rules[0].action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]',
        'spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required',
        'spec.podFailurePolicy.rules[1].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
        expect.stringMatching(
          /^spec\.podFailurePolicy\.rules\[1\]\.onPodConditions\[0\]\.type: Invalid value: "A B": name part/,
        ) as never,
        'spec.podFailurePolicy.rules[1].onPodConditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
        'spec.podFailurePolicy.rules[2]: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported',
      ],
    ],
    [
      'that succeeds early',
      indexed(10, { successPolicy: { rules: [{ succeededIndexes: '0,2-4', succeededCount: 4 }] } }),
      [],
    ],
    [
      'that succeeds early without indexes',
      { successPolicy: { rules: [{ succeededCount: 1 }] } },
      ['spec.successPolicy: Invalid value: {"rules":[{"succeededCount":1}]}: requires indexed completion mode'],
    ],
    [
      'that never could succeed early',
      indexed(5, {
        successPolicy: {
          rules: [{}, { succeededIndexes: '3,1' }, { succeededIndexes: '1-2', succeededCount: 6 }],
        },
      }),
      [
        'spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be specified',
        'spec.successPolicy.rules[1].succeededIndexes: Invalid value: "3,1": error parsing succeededIndexes: non-increasing order, previous: 3, current: 1',
        'spec.successPolicy.rules[2].succeededCount: Invalid value: 6: must be less than or equal to 5 (the number of specified completions)',
        'spec.successPolicy.rules[2].succeededCount: Invalid value: 6: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)',
      ],
    ],
  ])('%s', (_what, spec, expected) => {
    expect(createProblems(job, aJob(spec))).toEqual(expected);
  });

  it('whose indexes make host names too long', () => {
    const name = 'n'.repeat(62);
    const long = { ...aJob(indexed(10)), metadata: { name, namespace: 'shop', uid: UID } };
    expect(createProblems(job, long)).toEqual([
      `metadata.name: Invalid value: "${name}": will not able to create pod with invalid DNS label: ${name}-9`,
    ]);
  });
});

describe('an update of a job', () => {
  it.each<[string, Partial<Spec>, (spec: Spec) => void, string[]]>([
    [
      'may change how many run, whether any does, and how long',
      {},
      (spec) => Object.assign(spec, { parallelism: 9, suspend: true, activeDeadlineSeconds: 5, backoffLimit: 1 }),
      [],
    ],
    [
      'may not change how often it is to succeed',
      {},
      (spec) => (spec.completions = 2),
      ['spec.completions: Invalid value: 2: field is immutable'],
    ],
    [
      'may change that with the number at once, when it is indexed',
      indexed(2),
      (spec) => Object.assign(spec, { completions: 5, parallelism: 5 }),
      [],
    ],
    [
      'may change it in no other way',
      indexed(2),
      (spec) => (spec.completions = 5),
      ['spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism'],
    ],
    [
      'may not change its mode and policies',
      indexed(2),
      (spec) => Object.assign(spec, { managedBy: 'a.io/b', successPolicy: { rules: [{ succeededCount: 1 }] } }),
      [
        'spec.managedBy: Invalid value: "a.io/b": field is immutable',
        'spec.successPolicy: Invalid value: {"rules":[{"succeededCount":1}]}: field is immutable',
      ],
    ],
    [
      'may say where its pods go and what they get while it pauses',
      { suspend: true },
      ({ template }) => {
        template.spec!.nodeSelector = { a: 'b' };
        template.spec!.tolerations = [{ operator: 'Exists' }];
        template.spec!.schedulingGates = [{ name: 'a.io/b' }];
        template.spec!.affinity = { nodeAffinity: {} };
        template.metadata!.annotations = { a: 'b' };
        template.spec!.containers[0]!.resources = { requests: { cpu: '1' } };
      },
      [],
    ],
  ])('%s', (_what, spec, change, expected) => {
    expect(updateProblems(job, aJob(spec), (copy) => change(copy.spec))).toEqual(expected);
  });

  it.each<[string, boolean]>([
    ['while it runs', false],
    ['while it pauses', true],
  ])('may not change what its pods run, %s', (_when, suspend) => {
    const change = ({ spec }: Job) => {
      spec.template.spec!.containers[0]!.image = 'work:2';
    };
    expect(updateProblems(job, aJob({ suspend }), change)).toEqual([
      expect.stringMatching(/^spec\.template: Invalid value: .*: field is immutable$/),
    ]);
  });
});

describe('an update of the status of a job', () => {
  const T1 = '2026-11-21T10:00:00Z';
  const T2 = '2026-11-21T11:00:00Z';
  const are = (...types: string[]) => types.map((type) => ({ type, status: 'True' as const }));
  const done: Status = {
    startTime: T1,
    completionTime: T2,
    succeeded: 1,
    conditions: are('SuccessCriteriaMet', 'Complete'),
  };

  it.each<[string, Partial<Spec>, Status, string[]]>([
    ['says that it runs', {}, { startTime: T1, active: 1, ready: 1 }, []],
    ['says that it is done', {}, done, []],
    ['says that it failed', {}, { startTime: T1, failed: 1, conditions: are('FailureTarget', 'Failed') }, []],
    [
      'says both',
      {},
      { ...done, conditions: are('SuccessCriteriaMet', 'FailureTarget', 'Complete', 'Failed') },
      [
        'status.conditions: Invalid value: cannot set Complete=True and Failed=true conditions',
        'status.conditions: Invalid value: cannot set Complete=True and FailureTarget=true conditions',
        'status.conditions: Invalid value: cannot set SuccessCriteriaMet=True and Failed=true conditions',
        'status.conditions: Invalid value: cannot set SuccessCriteriaMet=True and FailureTarget=true conditions',
      ],
    ],
    [
      'says that it is done, out of the blue',
      {},
      { conditions: are('Complete'), active: 1 },
      [
        'status.active: Invalid value: 1: active>0 is invalid for finished job',
        'status.completionTime: Required value: completionTime is required for Complete jobs',
        'status.startTime: Required value: startTime is required for finished job',
        'status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition',
      ],
    ],
    [
      'says that it failed, out of the blue',
      {},
      { startTime: T1, conditions: are('Failed') },
      ['status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition'],
    ],
    [
      'has times that cannot be',
      {},
      { ...done, startTime: T2, completionTime: T1 },
      [`status.completionTime: Invalid value: "${T1}": completionTime cannot be set before startTime`],
    ],
    [
      'has numbers that cannot be',
      {},
      { active: -1, ready: 1, uncountedTerminatedPods: { succeeded: ['a', ''], failed: ['a'] } },
      [
        'status.active: Invalid value: -1: must be greater than or equal to 0',
        'status.uncountedTerminatedPods.succeeded[1]: Invalid value: "": must not be empty',
        'status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"',
        'status.ready: Invalid value: 1: cannot set more ready pods than active',
      ],
    ],
    ['names indexes', indexed(9, { backoffLimitPerIndex: 1 }), { completedIndexes: '0,2-4', failedIndexes: '1,5' }, []],
    [
      'names indexes that it has not',
      indexed(3, { backoffLimitPerIndex: 1 }),
      { completedIndexes: '0,3', failedIndexes: 'x' },
      [
        'status.completedIndexes: Invalid value: "0,3": error parsing completedIndexes: too large index: "3"',
        'status.failedIndexes: Invalid value: "x": error parsing failedIndexes: cannot convert string to integer for index: "x"',
      ],
    ],
    [
      'names one index twice',
      indexed(9, { backoffLimitPerIndex: 1 }),
      { completedIndexes: '0-5', failedIndexes: '4' },
      ['status.failedIndexes: Invalid value: "4": failedIndexes and completedIndexes overlap at index: 4'],
    ],
    [
      'names indexes although it has none',
      {},
      { completedIndexes: '0', failedIndexes: '' },
      [
        'status.completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when non-indexed completion mode',
        'status.failedIndexes: Invalid value: "": cannot set non-null failedIndexes when backoffLimitPerIndex is null',
      ],
    ],
  ])('%s', (_what, spec, status, expected) => {
    expect(statusProblems(job, aJob(spec), (copy) => (copy.status = status))).toEqual(expected);
  });

  it('may say that it starts anew as it is resumed', () => {
    const old = created(job, aJob());
    old.metadata.resourceVersion = '1';
    old.status = { startTime: T1, conditions: are('Suspended') };
    const conditions = [{ type: 'Suspended', status: 'False' as const }];
    const problems = (status: Status) =>
      job.validateStatusUpdate({ ...structuredClone(old), status }, old, statusRoot).map(({ field }) => field);
    expect(problems({ startTime: T2, conditions })).toEqual([]);
    expect(problems({ startTime: T2, conditions: are('Suspended') })).toEqual(['status.startTime']);
  });

  it('may be done before it ever began, if there was nothing to do', () => {
    const { startTime: _, ...neverBegun } = done;
    const problems = (spec: Partial<Spec>) =>
      statusProblems(job, aJob(spec), (copy) => (copy.status = { ...neverBegun, succeeded: 0 }));
    expect(problems({ suspend: true, completions: 0 })).toEqual([]);
    expect(problems({ suspend: true, completions: 1 })).toEqual([
      'status.startTime: Required value: startTime is required for finished job',
    ]);
  });

  it('takes nothing back', () => {
    const old = created(job, aJob());
    old.metadata.resourceVersion = '1';
    old.status = { ...done, failed: 2 };
    const now = { ...structuredClone(old), status: { startTime: T2, succeeded: 0, failed: 1 } };
    const problems = job.validateStatusUpdate(now, old, statusRoot).map(({ field, message }) => `${field}: ${message}`);
    expect(problems).toEqual([
      'status.failed: Invalid value: 1: cannot decrease the failed counter',
      'status.succeeded: Invalid value: 0: cannot decrease the succeeded counter',
      `status.startTime: Invalid value: "${T2}": field is immutable for unsuspended job once set`,
      'status.conditions: Invalid value: cannot disable the terminal Complete=True condition',
      'status.conditions: Invalid value: cannot disable the SuccessCriteriaMet=True condition',
    ]);
  });
});

it('a job can be found by its number of successes', () => {
  const object = created(job, aJob());
  object.status = { succeeded: 4 };
  expect(job.selectableFields['status.successful']?.(object)).toBe('4');
});
