import { describe, expect, it } from 'vitest';
import { created, createProblems, updateProblems } from '../testing/objects.ts';
import { type PersistentVolume, persistentVolume } from './persistent-volume.ts';

type Spec = PersistentVolume['spec'];

const aVolume = (spec: Partial<Spec> = {}): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: 'pv-1', creationTimestamp: '2026-11-21T10:00:00Z' },
  spec: {
    capacity: { storage: '5Gi' },
    accessModes: ['ReadWriteOnce'],
    ...('csi' in spec || 'local' in spec || 'nfs' in spec ? {} : { hostPath: { path: '/data' } }),
    ...spec,
  },
});
const onNode = (values: string[]) => ({
  required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a.io/host', operator: 'In' as const, values }] }] },
});
const csi = { driver: 'disks.example.com', volumeHandle: 'v-1' };

describe('a new volume', () => {
  it('is kept when its claim goes, and waits for one', () => {
    const { spec, status } = created(persistentVolume, aVolume());
    expect(spec).toMatchObject({
      persistentVolumeReclaimPolicy: 'Retain',
      volumeMode: 'Filesystem',
      hostPath: { path: '/data', type: '' },
    });
    expect(status).toEqual({ phase: 'Pending', lastPhaseTransitionTime: '2026-11-21T10:00:00Z' });
  });

  it.each<[string, Partial<Spec>, string[]]>([
    ['as people write it', {}, []],
    ['of a CSI driver', { csi, volumeAttributesClassName: 'fast' }, []],
    ['of a node', { local: { path: '/mnt' }, nodeAffinity: onNode(['n1']) }, []],
    [
      'without anything',
      { capacity: {}, accessModes: [], hostPath: undefined },
      [
        'spec.accessModes: Required value',
        'spec.capacity: Required value',
        'spec.capacity: Unsupported value: {}: supported values: "storage"',
        'spec: Required value: must specify a volume type',
      ],
    ],
    [
      'with more than storage, of which there is none',
      { capacity: { storage: '0', iops: '5' } },
      [
        'spec.capacity: Unsupported value: {"storage":"0","iops":"5"}: supported values: "storage"',
        'spec.capacity[storage]: Invalid value: "0": must be greater than zero',
      ],
    ],
    [
      'of two types',
      { csi, nfs: { server: 's', path: '/x' } },
      ['spec.nfs: Forbidden: may not specify more than 1 volume type'],
    ],
    [
      'of a CSI driver that nobody can find',
      { csi: { driver: 'a b', volumeHandle: '', nodePublishSecretRef: { name: 'A' } } },
      [
        'spec.csi.volumeHandle: Required value',
        expect.stringMatching(/^spec\.csi\.driver: Invalid value: "a b": a lowercase RFC 1123 subdomain/) as never,
        expect.stringMatching(/^spec\.csi\.nodePublishSecretRef\.name: Invalid value: "A"/) as never,
        'spec.csi.nodePublishSecretRef.namespace: Required value',
      ],
    ],
    [
      'of a node that it does not name',
      { local: { path: '/a/../b' } },
      [
        'spec.nodeAffinity: Required value: Local volume requires node affinity',
        `spec.local.path: Invalid value: "/a/../b": must not contain '..'`,
      ],
    ],
    [
      'next to nodes without a rule',
      { nodeAffinity: {} },
      ['spec.nodeAffinity.required: Required value: must specify required node constraints'],
    ],
    [
      'recycling a whole machine',
      { hostPath: { path: '//' }, persistentVolumeReclaimPolicy: 'Recycle' },
      [`spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'`],
    ],
    [
      'with attributes that only drivers have',
      { volumeAttributesClassName: '' },
      [
        'spec.volumeAttributesClassName: Required value: an empty string is disallowed',
        'spec.csi: Required value: has to be specified when using volumeAttributesClassName',
      ],
    ],
    [
      'with policies that there are not',
      { persistentVolumeReclaimPolicy: 'Keep' as never, volumeMode: 'Tape' as never },
      [
        'spec.persistentVolumeReclaimPolicy: Unsupported value: "Keep": supported values: "Delete", "Recycle", "Retain"',
        'spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"',
      ],
    ],
  ])('%s', (_what, spec, expected) => {
    expect(createProblems(persistentVolume, aVolume(spec))).toEqual(expected);
  });
});

describe('an update of a volume', () => {
  it.each<[string, Partial<Spec>, (spec: Spec) => void, string[]]>([
    [
      'may give it to a claim, and change its size, class and policy',
      {},
      (spec) =>
        Object.assign(spec, {
          claimRef: { namespace: 'shop', name: 'data' },
          capacity: { storage: '9Gi' },
          storageClassName: 'slow',
          persistentVolumeReclaimPolicy: 'Delete',
        }),
      [],
    ],
    [
      'may not make it another volume',
      { csi },
      (spec) => (spec.csi = { ...csi, volumeHandle: 'v-2' }),
      [
        'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n  spec.csi.volumeHandle: "v-1" -> "v-2"',
      ],
    ],
    [
      'may name the secret to expand it with, once',
      { csi },
      (spec) => (spec.csi = { ...csi, controllerExpandSecretRef: { name: 's', namespace: 'n' } }),
      [],
    ],
    [
      'may leave out what says nothing, as clients in Go do',
      { csi: { ...csi, fsType: '', readOnly: false } },
      (spec) => (spec.csi = csi),
      [],
    ],
    ['may say for the first time where it can be reached', {}, (spec) => (spec.nodeAffinity = onNode(['n1'])), []],
    [
      'may not move it',
      { nodeAffinity: onNode(['n1']) },
      (spec) => (spec.nodeAffinity = onNode(['n2'])),
      [expect.stringMatching(/^nodeAffinity: Invalid value: .*"n2".*: field is immutable$/) as never],
    ],
    [
      'may not make it a block device',
      {},
      (spec) => (spec.volumeMode = 'Block'),
      ['volumeMode: Invalid value: "Block": field is immutable'],
    ],
  ])('%s', (_what, spec, change, expected) => {
    expect(updateProblems(persistentVolume, aVolume(spec), (copy) => change(copy.spec))).toEqual(expected);
  });
});
