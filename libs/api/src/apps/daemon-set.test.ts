import { describe, expect, it } from 'vitest';
import { aDeployment, created, createProblems, statusProblems, updateProblems } from '../testing/objects.ts';
import { type ControllerRevision, controllerRevision } from './controller-revision.ts';
import { type DaemonSet, daemonSet } from './daemon-set.ts';

type Spec = DaemonSet['spec'];

const aDaemonSet = (spec: Partial<Spec> = {}, annotations?: Record<string, string>): DaemonSet => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'logs', namespace: 'shop', ...(annotations && { annotations }) },
  spec: { selector: aDeployment().spec.selector, template: aDeployment().spec.template, ...spec },
});

const GENERATION = 'deprecated.daemonset.template.generation';

describe('a new daemon set', () => {
  it('gets defaults, a status and the number of its template', () => {
    const { metadata, spec, status } = created(daemonSet, aDaemonSet());
    expect(spec).toMatchObject({
      revisionHistoryLimit: 10,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    });
    expect(metadata).toMatchObject({ generation: 1, annotations: { [GENERATION]: '1' } });
    expect(status).toEqual({
      currentNumberScheduled: 0,
      desiredNumberScheduled: 0,
      numberMisscheduled: 0,
      numberReady: 0,
    });
  });

  it.each<[string, Partial<Spec>, string[]]>([
    ['as people write it', {}, []],
    ['that surges', { updateStrategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: '10%' } } }, []],
    [
      'with an empty selector',
      { selector: {} },
      ['spec.selector: Invalid value: {}: empty selector is invalid for daemonset'],
    ],
    [
      'that surges and shrinks',
      { updateStrategy: { rollingUpdate: { maxUnavailable: 1, maxSurge: '101%' } } },
      [
        'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: "101%": must not be greater than 100%',
        'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: "101%": may not be set when maxUnavailable is non-zero',
      ],
    ],
    [
      'that may neither surge nor shrink',
      { updateStrategy: { rollingUpdate: { maxUnavailable: '0%' } } },
      ['spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0'],
    ],
    [
      'with a strategy that there is not',
      { updateStrategy: { type: 'Recreate' as never } },
      ['spec.updateStrategy: Unsupported value: {"type":"Recreate"}: supported values: "RollingUpdate", "OnDelete"'],
    ],
    [
      'with pods that end',
      {
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'a', image: 'b' }], restartPolicy: 'OnFailure', activeDeadlineSeconds: 5 },
        },
      },
      [
        'spec.template.spec.restartPolicy: Unsupported value: "OnFailure": supported values: "Always"',
        'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in DaemonSet is not Supported',
      ],
    ],
  ])('%s', (_what, spec, expected) => {
    expect(createProblems(daemonSet, aDaemonSet(spec))).toEqual(expected);
  });
});

describe('an update of a daemon set', () => {
  it('counts the templates it has had, whatever the user says', () => {
    const old = created(daemonSet, aDaemonSet({}, { [GENERATION]: '4', mine: 'x' }));
    const now = structuredClone(old);
    now.metadata.annotations = { mine: 'y', [GENERATION]: '9' };
    daemonSet.prepareForUpdate(now, old);
    expect([now.metadata.annotations, now.metadata.generation]).toEqual([{ mine: 'y', [GENERATION]: '4' }, 1]);
    now.spec.template.spec!.containers[0]!.image = 'web:2';
    delete now.metadata.annotations;
    daemonSet.prepareForUpdate(now, old);
    expect([now.metadata.annotations, now.metadata.generation]).toEqual([{ [GENERATION]: '5' }, 2]);
  });

  it('may not change the selector', () => {
    const change = ({ spec }: DaemonSet) => {
      spec.selector = { matchLabels: { app: 'new' } };
      spec.template.metadata = { labels: { app: 'new' } };
    };
    expect(updateProblems(daemonSet, aDaemonSet(), change)).toEqual([
      'spec.selector: Invalid value: {"matchLabels":{"app":"new"}}: field is immutable',
    ]);
  });

  it('of the status has no counts below zero', () => {
    const change = ({ status }: DaemonSet) => {
      status!.numberReady = -1;
    };
    expect(statusProblems(daemonSet, aDaemonSet(), change)).toEqual([
      'status.numberReady: Invalid value: -1: must be greater than or equal to 0',
    ]);
  });
});

describe('a controller revision', () => {
  const aRevision = (more: Partial<ControllerRevision> = {}): ControllerRevision => ({
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: { name: 'web-1', namespace: 'shop' },
    data: { spec: {} },
    revision: 1,
    ...more,
  });

  it.each<[string, Partial<ControllerRevision>, string[]]>([
    ['as controllers write it', {}, []],
    ['without data', { data: undefined }, ['data: Required value: data is mandatory']],
    ['whose data are no object', { data: [] as never }, ['data: Required value: data must be a valid JSON object']],
    ['before the first', { revision: -1 }, ['revision: Invalid value: -1: must be greater than or equal to 0']],
  ])('%s', (_what, more, expected) => {
    expect(createProblems(controllerRevision, aRevision(more))).toEqual(expected);
  });

  it('may get another number, but no other data', () => {
    const change = (copy: ControllerRevision) => {
      copy.revision = 7;
      copy.data = { spec: { replicas: 1 } };
    };
    expect(updateProblems(controllerRevision, aRevision(), change)).toEqual([
      'data: Invalid value: {"spec":{"replicas":1}}: field is immutable',
    ]);
  });
});
