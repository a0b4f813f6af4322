import { describe, expect, it } from 'vitest';
import { aDeployment, created, createProblems, statusProblems, updateProblems } from '../testing/objects.ts';
import { type Deployment, deployment } from './deployment.ts';
import { type ReplicaSet, replicaSet } from './replica-set.ts';

type Spec = Deployment['spec'];

const aReplicaSet = (spec: Partial<ReplicaSet['spec']> = {}): ReplicaSet => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { selector: aDeployment().spec.selector, template: aDeployment().spec.template, ...spec },
});

describe('defaults of a deployment', () => {
  it('are those of Kubernetes', () => {
    const { spec, metadata, status } = created(deployment, aDeployment());
    expect(spec).toMatchObject({
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      template: { spec: { restartPolicy: 'Always', dnsPolicy: 'ClusterFirst', terminationGracePeriodSeconds: 30 } },
    });
    expect([metadata.generation, status]).toEqual([1, {}]);
  });

  it('leave the template what only pods get', () => {
    const { template } = created(deployment, aDeployment()).spec;
    expect(Object.keys(template.spec ?? {})).not.toContain('enableServiceLinks');
  });

  it('leave a strategy of recreation alone', () => {
    expect(created(deployment, aDeployment({ strategy: { type: 'Recreate' } })).spec.strategy).toEqual({
      type: 'Recreate',
    });
  });
});

describe('a new deployment', () => {
  it.each<[string, Partial<Spec>, string[]]>([
    ['as people write it', {}, []],
    [
      'without selector',
      { selector: undefined as never },
      [
        'spec.selector: Required value',
        'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
      ],
    ],
    [
      'with an empty selector',
      { selector: {} },
      ['spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
    ],
    [
      'with a selector that does not match',
      { selector: { matchLabels: { app: 'other' } } },
      ['spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`'],
    ],
    [
      'with a negative number of pods',
      { replicas: -1 },
      ['spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'that may neither surge nor shrink',
      { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } },
      ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0'],
    ],
    [
      'that may shrink by more than all',
      { strategy: { rollingUpdate: { maxUnavailable: '101%', maxSurge: 'many' } } },
      [
        "spec.strategy.rollingUpdate.maxSurge: Invalid value: \"many\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
      ],
    ],
    [
      'that recreates and rolls',
      { strategy: { type: 'Recreate', rollingUpdate: { maxSurge: 1 } } },
      ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    ],
    [
      'with an unknown strategy',
      { strategy: { type: 'Yolo' as never } },
      ['spec.strategy: Unsupported value: {"type":"Yolo"}: supported values: "Recreate", "RollingUpdate"'],
    ],
    [
      'with a deadline before its pods can count',
      { minReadySeconds: 600 },
      ['spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds'],
    ],
    [
      'with pods that end',
      {
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'main', image: '' }], restartPolicy: 'Never', activeDeadlineSeconds: 5 },
        },
      },
      [
        'spec.template.spec.containers[0].image: Required value',
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
        'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported',
      ],
    ],
    [
      'without a template',
      { template: undefined as never },
      [
        'spec.template.metadata.labels: Invalid value: {}: `selector` does not match template `labels`',
        'spec.template.spec.containers: Required value',
      ],
    ],
  ])('%s', (_what, spec, expected) => {
    expect(createProblems(deployment, aDeployment(spec))).toEqual(expected);
  });
});

describe('an update of a deployment', () => {
  it('may not change the selector', () => {
    const change = ({ spec }: Deployment) => {
      spec.selector = { matchLabels: { app: 'new' } };
      spec.template.metadata = { labels: { app: 'new' } };
    };
    expect(updateProblems(deployment, aDeployment(), change)).toEqual([
      'spec.selector: Invalid value: {"matchLabels":{"app":"new"}}: field is immutable',
    ]);
  });

  it('counts changes of the spec, not of labels, and keeps the status', () => {
    const old = created(deployment, aDeployment());
    old.status = { replicas: 1 };
    const now = structuredClone(old);
    now.metadata.labels = { a: 'b' };
    now.status = { replicas: 7 };
    deployment.prepareForUpdate(now, old);
    expect([now.metadata.generation, now.status.replicas]).toEqual([1, 1]);
    now.spec.replicas = 2;
    deployment.prepareForUpdate(now, old);
    expect(now.metadata.generation).toBe(2);
  });

  it('of the status has counts that fit each other', () => {
    const change = (copy: Deployment) => {
      copy.status = { replicas: 1, readyReplicas: 2, availableReplicas: 3, updatedReplicas: -1 };
    };
    expect(statusProblems(deployment, aDeployment(), change)).toEqual([
      'status.updatedReplicas: Invalid value: -1: must be greater than or equal to 0',
      'status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas',
      'status.availableReplicas: Invalid value: 3: cannot be greater than status.replicas',
      'status.availableReplicas: Invalid value: 3: cannot be greater than readyReplicas',
    ]);
  });

  it('of the status changes nothing else', () => {
    const old = created(deployment, aDeployment());
    const now = structuredClone(old);
    now.spec.replicas = 9;
    now.status = { replicas: 1 };
    now.metadata.generation = 9;
    deployment.prepareForStatusUpdate(now, old);
    expect([now.spec.replicas, now.status.replicas, now.metadata.generation]).toEqual([1, 1, 1]);
  });
});

describe('a replica set', () => {
  it('is checked like a deployment', () => {
    expect(createProblems(replicaSet, aReplicaSet())).toEqual([]);
    expect(createProblems(replicaSet, aReplicaSet({ selector: {} }))).toEqual([
      'spec.selector: Invalid value: {}: empty selector is invalid for deployment',
    ]);
    expect(
      updateProblems(replicaSet, aReplicaSet(), ({ spec }) => {
        spec.selector = { matchLabels: { app: 'web', b: 'c' } };
        spec.template = { ...spec.template, metadata: { labels: { app: 'web', b: 'c' } } };
      }),
    ).toEqual(['spec.selector: Invalid value: {"matchLabels":{"app":"web","b":"c"}}: field is immutable']);
  });

  it('can be found by its number of pods', () => {
    const object = created(replicaSet, aReplicaSet());
    object.status = { replicas: 4 };
    expect(replicaSet.selectableFields['status.replicas']?.(object)).toBe('4');
  });
});
