import { describe, expect, it } from 'vitest';
import { aDeployment, created, createProblems, statusProblems, updateProblems } from '../testing/objects.ts';
import { type StatefulSet, statefulSet } from './stateful-set.ts';

type Spec = StatefulSet['spec'];

const claim = (spec: object = {}) => ({
  metadata: { name: 'data' },
  spec: {
    accessModes: ['ReadWriteOnce' as const],
    resources: { requests: { storage: '1Gi' } },
    ...spec,
  },
});

const aStatefulSet = (spec: Partial<Spec> = {}): StatefulSet => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { serviceName: 'web', selector: aDeployment().spec.selector, template: aDeployment().spec.template, ...spec },
});

const mounting = (volume: string): Spec['template'] => ({
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'main', image: 'web:1', volumeMounts: [{ name: volume, mountPath: '/data' }] }] },
});

describe('defaults of a stateful set', () => {
  it('are those of Kubernetes', () => {
    const { metadata, spec, status } = created(statefulSet, aStatefulSet({ volumeClaimTemplates: [claim()] }));
    expect(spec).toMatchObject({
      replicas: 1,
      revisionHistoryLimit: 10,
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    });
    expect(spec.volumeClaimTemplates).toEqual([
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        ...claim({ volumeMode: 'Filesystem' }),
        status: { phase: 'Pending' },
      },
    ]);
    expect([metadata.generation, status]).toEqual([1, { replicas: 0, availableReplicas: 0 }]);
  });

  it('leave a set that waits for deletions alone', () => {
    expect(created(statefulSet, aStatefulSet({ updateStrategy: { type: 'OnDelete' } })).spec.updateStrategy).toEqual({
      type: 'OnDelete',
    });
  });
});

describe('a new stateful set', () => {
  it.each<[string, Partial<Spec>, string[]]>([
    ['as people write it', {}, []],
    ['whose pods mount what it claims', { template: mounting('data'), volumeClaimTemplates: [claim()] }, []],
    [
      'whose pods mount what nobody claims',
      { template: mounting('data') },
      ['spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data"'],
    ],
    [
      'whose claim asks for nothing',
      { volumeClaimTemplates: [claim({ accessModes: [], resources: {} })] },
      [
        'spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode is required',
        'spec.volumeClaimTemplates[0].spec.resources[storage]: Required value',
      ],
    ],
    [
      'without a selector that selects',
      { selector: {} },
      ['spec.selector: Invalid value: {}: empty selector is invalid for statefulset'],
    ],
    [
      'with a selector that does not match',
      { selector: { matchLabels: { app: 'other' } } },
      ['spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`'],
    ],
    [
      'with numbers below zero',
      { replicas: -1, minReadySeconds: -1, ordinals: { start: -1 } },
      [
        'spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0',
        'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
        'spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0',
      ],
    ],
    [
      'with policies that there are not',
      {
        podManagementPolicy: 'Random' as never,
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Keep' as never },
      },
      [
        `spec.podManagementPolicy: Invalid value: "Random": must be 'OrderedReady' or 'Parallel'`,
        'spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "Keep": supported values: "Retain", "Delete"',
      ],
    ],
    [
      'with a strategy that there is not',
      { updateStrategy: { type: 'Recreate' as never } },
      [`spec.updateStrategy: Invalid value: {"type":"Recreate"}: must be 'RollingUpdate' or 'OnDelete'`],
    ],
    [
      'that waits for deletions and rolls',
      { updateStrategy: { type: 'OnDelete', rollingUpdate: { partition: 1 } } },
      [
        `spec.updateStrategy.rollingUpdate: Invalid value: {"partition":1}: only allowed for updateStrategy 'RollingUpdate'`,
      ],
    ],
    [
      'that rolls in a way that cannot be',
      { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: -1, maxUnavailable: '0%' } } },
      [
        'spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0',
        'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "0%": cannot be 0',
      ],
    ],
    [
      'whose service has no name of DNS',
      { serviceName: 'Web' },
      [expect.stringMatching(/^spec\.serviceName: Invalid value: "Web": a lowercase RFC 1123 label/) as never],
    ],
    [
      'with pods that end',
      { template: { ...mounting('x'), spec: { containers: [{ name: 'a', image: 'b' }], activeDeadlineSeconds: 5 } } },
      ['spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in StatefulSet is not Supported'],
    ],
  ])('%s', (_what, spec, expected) => {
    expect(createProblems(statefulSet, aStatefulSet(spec))).toEqual(expected);
  });

  it('has a name that is a label of DNS', () => {
    const named = { ...aStatefulSet(), metadata: { name: 'a.b', namespace: 'shop' } };
    expect(createProblems(statefulSet, named)).toEqual(['metadata.name: Invalid value: "a.b": must not contain dots']);
  });
});

describe('an update of a stateful set', () => {
  const forbidden =
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

  it('may change what it names', () => {
    const change = ({ spec }: StatefulSet) => {
      spec.replicas = 3;
      spec.ordinals = { start: 2 };
      spec.template.spec!.containers[0]!.image = 'web:2';
      spec.updateStrategy = { type: 'OnDelete' };
      spec.revisionHistoryLimit = 3;
      spec.persistentVolumeClaimRetentionPolicy = { whenDeleted: 'Delete', whenScaled: 'Delete' };
      spec.minReadySeconds = 1;
    };
    expect(updateProblems(statefulSet, aStatefulSet(), change)).toEqual([]);
  });

  it.each<[string, (spec: Spec) => void]>([
    ['service', (spec) => (spec.serviceName = 'other')],
    ['claims', (spec) => (spec.volumeClaimTemplates = [claim()])],
    ['order', (spec) => (spec.podManagementPolicy = 'Parallel')],
  ])('may not change its %s', (_what, change) => {
    expect(updateProblems(statefulSet, aStatefulSet(), ({ spec }) => change(spec))).toEqual([forbidden]);
  });

  it('of the status has counts that fit each other', () => {
    const change = (copy: StatefulSet) => {
      copy.status = { replicas: 1, readyReplicas: 1, currentReplicas: 2, availableReplicas: 2, collisionCount: -1 };
    };
    expect(statusProblems(statefulSet, aStatefulSet(), change)).toEqual([
      'status.currentReplicas: Invalid value: 2: cannot be greater than status.replicas',
      'status.availableReplicas: Invalid value: 2: cannot be greater than status.replicas',
      'status.availableReplicas: Invalid value: 2: cannot be greater than status.readyReplicas',
      'status.collisionCount: Invalid value: -1: must be greater than or equal to 0',
    ]);
  });
});
