import { FieldPath } from '@periplus/apimachinery';
import { describe, expect, it } from 'vitest';
import { aPod, created, createProblems, statusProblems, updateProblems } from '../testing/objects.ts';
import { type PersistentVolumeClaim, persistentVolumeClaim } from './persistent-volume-claim.ts';
import { pod } from './pod.ts';

const root = new FieldPath();
const CLASS = 'volume.beta.kubernetes.io/storage-class';

type Spec = PersistentVolumeClaim['spec'];

const asking = (storage: string) => ({ resources: { requests: { storage } } });
const aClaim = (spec: Partial<Spec> = {}): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data', namespace: 'shop' },
  spec: { accessModes: ['ReadWriteOnce'], ...asking('1Gi'), ...spec },
});

describe('a new claim', () => {
  it('waits for a volume with files', () => {
    const { spec, status, metadata } = created(persistentVolumeClaim, aClaim());
    expect([spec.volumeMode, status, metadata.generation]).toEqual(['Filesystem', { phase: 'Pending' }, undefined]);
  });

  it('names what it is filled from in both ways', () => {
    const source = { kind: 'PersistentVolumeClaim', name: 'other' };
    expect(created(persistentVolumeClaim, aClaim({ dataSource: source })).spec.dataSourceRef).toEqual(source);
    expect(created(persistentVolumeClaim, aClaim({ dataSourceRef: source })).spec.dataSource).toEqual(source);
    const elsewhere = { ...source, namespace: 'x' };
    expect(created(persistentVolumeClaim, aClaim({ dataSourceRef: elsewhere })).spec).not.toHaveProperty('dataSource');
  });

  it.each<[string, Partial<Spec>, string[]]>([
    ['as people write it', {}, []],
    [
      'that asks for nothing',
      { accessModes: [], resources: {} },
      [
        'spec.accessModes: Required value: at least 1 access mode is required',
        'spec.resources[storage]: Required value',
      ],
    ],
    [
      'for nobody, and for no storage',
      { accessModes: ['ReadWriteNever' as never], ...asking('0') },
      [
        'spec.accessModes: Unsupported value: "ReadWriteNever": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
        'spec.resources[storage]: Invalid value: "0": must be greater than zero',
      ],
    ],
    [
      'for one pod and others',
      { accessModes: ['ReadWriteOncePod', 'ReadOnlyMany'] },
      ['spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes'],
    ],
    [
      'of a mode and a class that cannot be',
      { volumeMode: 'Tape' as never, storageClassName: 'A_B' },
      [
        expect.stringMatching(/^spec\.storageClassName: Invalid value: "A_B": a lowercase RFC 1123 subdomain/) as never,
        'spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"',
      ],
    ],
    ['without a class, on purpose', { storageClassName: '' }, []],
    [
      'filled from two sources',
      { dataSource: { kind: 'Snap', name: 'a', apiGroup: 's.io' }, dataSourceRef: { kind: 'Pod', name: '' } },
      [
        'spec.dataSourceRef.name: Required value',
        `spec.dataSourceRef: Invalid value: "Pod": must be 'PersistentVolumeClaim' when referencing the default apiGroup`,
        'spec: Invalid value: "spec.dataSource": must match dataSourceRef',
      ],
    ],
  ])('%s', (_what, spec, expected) => {
    expect(createProblems(persistentVolumeClaim, aClaim(spec))).toEqual(expected);
  });

  it('is asked for the same by a pod', () => {
    const ephemeral = { volumeClaimTemplate: { spec: { accessModes: [], ...asking('1Gi') } } };
    expect(createProblems(pod, aPod({ volumes: [{ name: 'scratch', ephemeral }] }))).toEqual([
      'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required',
    ]);
  });
});

describe('an update of a claim', () => {
  const immutable =
    'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
  /** Updates the claim as it is once it has a volume of 1Gi. */
  const updateBound = (change: (spec: Spec) => void): string[] => {
    const old = created(persistentVolumeClaim, aClaim({ volumeName: 'pv-1' }));
    old.metadata.resourceVersion = '1';
    old.status = { phase: 'Bound', capacity: { storage: '1Gi' }, currentVolumeAttributesClassName: 'fast' };
    old.spec.resources = { requests: { storage: '5Gi' } };
    old.spec.volumeAttributesClassName = 'fast';
    const now = structuredClone(old);
    change(now.spec);
    persistentVolumeClaim.prepareForUpdate(now, old);
    return persistentVolumeClaim.validateUpdate(now, old, root).map(({ field, message }) => `${field}: ${message}`);
  };

  it.each<[string, (spec: Spec) => void, string[]]>([
    ['may leave out a volume that it does not name', (spec) => (spec.volumeName = ''), []],
    ['may give it a volume, once', (spec) => (spec.volumeName = 'pv-1'), []],
    ['may give it a class when it has none', (spec) => (spec.storageClassName = 'fast'), []],
    [
      'may not change what it asks for while it has nothing',
      (spec) => (spec.resources = { requests: { storage: '2Gi' } }),
      [`${immutable}\n  spec.resources.requests.storage: "1Gi" -> "2Gi"`],
    ],
    [
      'may not make it a block device',
      (spec) => (spec.volumeMode = 'Block'),
      [
        `${immutable}\n  spec.volumeMode: "Filesystem" -> "Block"`,
        'volumeMode: Invalid value: "Block": field is immutable',
      ],
    ],
  ])('%s', (_what, change, expected) => {
    expect(updateProblems(persistentVolumeClaim, aClaim(), ({ spec }) => change(spec))).toEqual(expected);
  });

  it.each<[string, (spec: Spec) => void, string[]]>([
    ['may let it grow', (spec) => (spec.resources = { requests: { storage: '9Gi' } }), []],
    ['may take back what was too much', (spec) => (spec.resources = { requests: { storage: '2Gi' } }), []],
    [
      'may not shrink it',
      (spec) => (spec.resources = { requests: { storage: '1Gi' } }),
      ['spec.resources.requests.storage: Forbidden: field can not be less than status.capacity'],
    ],
    [
      'may not give it another volume',
      (spec) => (spec.volumeName = 'pv-2'),
      [`${immutable}\n  spec.volumeName: "pv-1" -> "pv-2"`],
    ],
    ['may give it other attributes', (spec) => (spec.volumeAttributesClassName = 'slow'), []],
    [
      'may not take its attributes',
      (spec) => delete spec.volumeAttributesClassName,
      [
        'spec.volumeAttributesClassName: Forbidden: update to nil is forbidden when status.currentVolumeAttributesClassName is not nil',
      ],
    ],
  ])('that has a volume %s', (_what, change, expected) => {
    expect(updateBound(change)).toEqual(expected);
  });

  it('keeps the class that an annotation names, or moves it to the field', () => {
    const annotated = () => {
      const claim = aClaim();
      claim.metadata.annotations = { [CLASS]: 'slow' };
      return claim;
    };
    const change = ({ metadata }: PersistentVolumeClaim) => {
      metadata.annotations![CLASS] = 'fast';
    };
    expect(updateProblems(persistentVolumeClaim, annotated(), change)).toEqual([
      `metadata.annotations.${CLASS}: Invalid value: "fast": field is immutable`,
    ]);
    const move = (claim: PersistentVolumeClaim) => {
      delete claim.metadata.annotations;
      claim.spec.storageClassName = 'slow';
    };
    expect(updateProblems(persistentVolumeClaim, annotated(), move)).toEqual([]);
  });

  it('of the status names resources of volumes alone', () => {
    const change = (claim: PersistentVolumeClaim) => {
      claim.status = {
        capacity: { storage: '-1' },
        allocatedResources: { cpu: '1', storage: '-1' },
        allocatedResourceStatuses: { storage: 'Growing' as never },
      };
    };
    expect(statusProblems(persistentVolumeClaim, aClaim(), change)).toEqual([
      'status.capacity[storage]: Invalid value: "-1": must be greater than or equal to 0',
      'status.allocatedResourceStatuses: Unsupported value: "storage": supported values: "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"',
      'status.allocatedResources: Unsupported value: "cpu": supported values: "storage"',
      'status.allocatedResources[storage]: Invalid value: "-1": must be greater than or equal to 0',
    ]);
  });
});
