import { describe, expect, it } from 'vitest';
import { created, createProblems, statusProblems, updateProblems } from '../testing/objects.ts';
import { table } from '../testing/table.ts';
import { type CSIDriver, csiDriver } from './csi-driver.ts';
import { type CSINode, csiNode } from './csi-node.ts';
import { type CSIStorageCapacity, csiStorageCapacity } from './csi-storage-capacity.ts';
import { type VolumeAttachment, volumeAttachment } from './volume-attachment.ts';
import { type VolumeAttributesClass, volumeAttributesClass } from './volume-attributes-class.ts';

const apiVersion = 'storage.k8s.io/v1';
const aDriver = (spec: CSIDriver['spec'] = {}): CSIDriver => ({
  apiVersion,
  kind: 'CSIDriver',
  metadata: { name: 'disk.example.com' },
  spec,
});
const aNode = (...drivers: CSINode['spec']['drivers']): CSINode => ({
  apiVersion,
  kind: 'CSINode',
  metadata: { name: 'n1' },
  spec: { drivers },
});
const aCapacity = (more: Partial<CSIStorageCapacity> = {}): CSIStorageCapacity => ({
  apiVersion,
  kind: 'CSIStorageCapacity',
  metadata: { name: 'c', namespace: 'kube-system' },
  storageClassName: 'fast',
  ...more,
});
const anAttachment = (spec: Partial<VolumeAttachment['spec']> = {}): VolumeAttachment => ({
  apiVersion,
  kind: 'VolumeAttachment',
  metadata: { name: 'a' },
  spec: { attacher: 'disk.example.com', nodeName: 'n1', source: { persistentVolumeName: 'pv1' }, ...spec },
});
const anAttributesClass = (more: Partial<VolumeAttributesClass> = {}): VolumeAttributesClass => ({
  apiVersion,
  kind: 'VolumeAttributesClass',
  metadata: { name: 'gold' },
  driverName: 'disk.example.com',
  parameters: { iops: '4000' },
  ...more,
});

describe('a CSI driver', () => {
  it.each<[string, CSIDriver['spec'], string[]]>([
    ['that says nothing', {}, []],
    [
      'with odd choices',
      { fsGroupPolicy: 'Odd', volumeLifecycleModes: ['Odd'], nodeAllocatableUpdatePeriodSeconds: 9 },
      [
        'spec.fsGroupPolicy: Unsupported value: "Odd": supported values: "File", "None", "ReadWriteOnceWithFSType"',
        'spec.volumeLifecycleModes: Unsupported value: "Odd": supported values: "Persistent", "Ephemeral"',
        'spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: must be greater than or equal to 10 seconds',
      ],
    ],
    [
      'that asks for odd tokens',
      {
        tokenRequests: [
          { audience: 'a', expirationSeconds: 1 },
          { audience: 'a' },
          { audience: 'b', expirationSeconds: 2 ** 33 },
        ],
      },
      [
        'spec.tokenRequests[0].expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes',
        'spec.tokenRequests[1].audience: Duplicate value: "a"',
        'spec.tokenRequests[2].expirationSeconds: Invalid value: 8589934592: may not specify a duration larger than 2^32 seconds',
      ],
    ],
  ])('%s', (_what, spec, expected) => {
    expect(createProblems(csiDriver, aDriver(spec))).toEqual(expected);
  });

  it('keeps the way its volumes are used', () => {
    const change = ({ spec }: CSIDriver): void => {
      spec.attachRequired = false;
      spec.volumeLifecycleModes = ['Ephemeral'];
      spec.podInfoOnMount = true;
    };
    expect(updateProblems(csiDriver, aDriver(), change)).toEqual([
      'spec.attachedRequired: Invalid value: false: field is immutable',
      'spec.volumeLifecycleModes: Invalid value: ["Ephemeral"]: field is immutable',
    ]);
  });

  it('counts its changes', () => {
    const old = created(csiDriver, aDriver());
    const now = structuredClone(old);
    now.spec.requiresRepublish = true;
    csiDriver.prepareForUpdate(now, old);
    expect([old.metadata.generation, now.metadata.generation]).toEqual([undefined, 1]);
  });

  it('prints what it wants', () => {
    expect(table(csiDriver, aDriver({ tokenRequests: [{ audience: 'a' }, { audience: 'b' }] }))).toEqual([
      'NAME  ATTACHREQUIRED  PODINFOONMOUNT  STORAGECAPACITY  TOKENREQUESTS  REQUIRESREPUBLISH  MODES  AGE',
      'disk.example.com  true  false  false  a,b  false  Persistent  60m',
    ]);
    expect(table(csiDriver, aDriver())[1]).toContain('<unset>');
  });
});

describe('the CSI drivers of a node', () => {
  const one = { name: 'disk.example.com', nodeID: 'id', topologyKeys: ['zone'], allocatable: { count: 8 } };

  it.each<[string, CSINode['spec']['drivers'], string[]]>([
    ['none', [], []],
    ['one', [one], []],
    ['twice the same', [one, one], ['spec.drivers[1].name: Duplicate value: "disk.example.com"']],
    [
      'odd ones',
      [{ name: 'a_b', nodeID: 'x'.repeat(193), topologyKeys: ['a', 'a', ''], allocatable: { count: -1 } }],
      [
        expect.stringMatching(/^spec.drivers\[0\].name: Invalid value: "a_b"/) as never,
        expect.stringMatching(/^spec.drivers\[0\].nodeID: .*: must be 192 characters or less$/) as never,
        'spec.drivers[0].allocatable.count: Invalid value: -1: must be greater than or equal to 0',
        'spec.drivers[0]: Duplicate value: "a"',
        'spec.drivers[0]: Required value',
        expect.stringMatching(/^spec.drivers\[0\]: Invalid value: "": name part must be non-empty/) as never,
        expect.stringMatching(/^spec.drivers\[0\]: Invalid value: "": name part must consist of/) as never,
      ],
    ],
  ])('%s', (_what, drivers, expected) => {
    expect(createProblems(csiNode, aNode(...drivers))).toEqual(expected);
  });

  it('keep what they said, but for how many volumes they can have', () => {
    const more = updateProblems(csiNode, aNode(one), ({ spec }) => (spec.drivers[0]!.allocatable = { count: 9 }));
    const other = updateProblems(csiNode, aNode(one), ({ spec }) => (spec.drivers[0]!.nodeID = 'other'));
    const gone = updateProblems(csiNode, aNode(one), ({ spec }) => spec.drivers.pop());
    expect([more, gone]).toEqual([[], []]);
    expect(other).toEqual([expect.stringMatching(/^spec.drivers: Invalid value: .*: field is immutable$/)]);
  });

  it('are counted', () => {
    expect(table(csiNode, aNode(one))).toEqual(['NAME  DRIVERS  AGE', 'n1  1  60m']);
  });
});

describe('storage capacity', () => {
  it('is of a class, for nodes', () => {
    expect(createProblems(csiStorageCapacity, aCapacity({ capacity: '1Gi', nodeTopology: {} }))).toEqual([]);
    expect(createProblems(csiStorageCapacity, aCapacity({ capacity: '-1', storageClassName: '' }))).toEqual([
      expect.stringMatching(/^storageClassName: Invalid value: ""/),
      'capacity: Invalid value: "-1": must be greater than or equal to 0',
    ]);
    const moved = updateProblems(csiStorageCapacity, aCapacity(), (copy) => (copy.storageClassName = 'slow'));
    expect(moved).toEqual(['storageClassName: Invalid value: "slow": field is immutable']);
    expect(table(csiStorageCapacity, aCapacity({ capacity: '1024Mi' }))).toEqual([
      'NAME  STORAGECLASSNAME  CAPACITY',
      'c  fast  1Gi',
    ]);
    expect(table(csiStorageCapacity, aCapacity())[1]).toBe('c  fast  <unset>');
  });
});

describe('the attachment of a volume', () => {
  it.each<[string, Partial<VolumeAttachment['spec']>, string[]]>([
    ['to a node', {}, []],
    [
      'of nothing',
      { source: {} },
      ['spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName'],
    ],
    [
      'of two things',
      { source: { persistentVolumeName: 'x', inlineVolumeSpec: {} } },
      ['spec.source: Forbidden: must specify exactly one of inlineVolumeSpec and persistentVolumeName'],
    ],
    [
      'by nobody, to nowhere',
      { attacher: '', nodeName: '' },
      ['spec.attacher: Required value', expect.stringMatching(/^spec.nodeName: Invalid value: ""/) as never],
    ],
  ])('%s', (_what, spec, expected) => {
    expect(createProblems(volumeAttachment, anAttachment(spec))).toEqual(expected);
  });

  it('is for good', () => {
    const moved = updateProblems(volumeAttachment, anAttachment(), ({ spec }) => (spec.nodeName = 'n2'));
    expect(moved).toEqual([expect.stringMatching(/^spec: Invalid value: .*: field is immutable$/)]);
  });

  it('says how it went, in few words', () => {
    const failed = (message: string, errorCode: number) => (copy: VolumeAttachment) => {
      copy.status = { attached: false, attachError: { message, errorCode } };
    };
    expect(statusProblems(volumeAttachment, anAttachment(), failed('busy', 8))).toEqual([]);
    expect(statusProblems(volumeAttachment, anAttachment(), failed('x'.repeat(1025), -1))).toEqual([
      'status.attachError.message: Too long: may not be more than 262144 bytes',
      'status.attachError.errorCode: Invalid value: -1: must be between 0 and 2147483647, inclusive',
    ]);
  });

  it('prints where the volume is', () => {
    expect(table(volumeAttachment, { ...anAttachment(), status: { attached: true } })).toEqual([
      'NAME  ATTACHER  PV  NODE  ATTACHED  AGE',
      'a  disk.example.com  pv1  n1  true  60m',
    ]);
  });
});

describe('a class of volume attributes', () => {
  it('has a driver and parameters, for good', () => {
    expect(createProblems(volumeAttributesClass, anAttributesClass())).toEqual([]);
    expect(createProblems(volumeAttributesClass, anAttributesClass({ driverName: '', parameters: {} }))).toEqual([
      'driverName: Required value',
      'parameters: Required value: must contain at least one key/value pair',
    ]);
    const change = (copy: VolumeAttributesClass): void => {
      copy.driverName = 'other';
      copy.parameters = { iops: '1' };
    };
    expect(updateProblems(volumeAttributesClass, anAttributesClass(), change)).toEqual([
      'driverName: Forbidden: updates to driverName are forbidden.',
      'parameters: Forbidden: updates to parameters are forbidden.',
    ]);
    expect(table(volumeAttributesClass, anAttributesClass())).toEqual([
      'NAME  DRIVERNAME  AGE',
      'gold  disk.example.com  60m',
    ]);
  });
});
