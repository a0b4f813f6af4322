import { describe, expect, it } from 'vitest';
import { hasChanged, type MachineFacts, newNode, nodeStatus, type RuntimeFacts, turnsOf } from './node-status.ts';
import { parseTaint } from './taint.ts';

const GIBI = 1024 ** 3;
const machine: MachineFacts = {
  ...{ hostname: 'node-1', architecture: 'amd64', cpus: 2, memoryBytes: 4 * GIBI, memoryFreeBytes: 2 * GIBI },
  ...{ diskBytes: 100 * GIBI, diskFreeBytes: 50 * GIBI, pidsFree: 30_000, addresses: ['192.168.0.1'] },
  ...{ machineId: 'm', systemUuid: 's', bootId: 'b', kernelVersion: '6.1', osImage: 'Debian' },
};
const identity = { name: 'node-1', port: 10_250, podCidr: '10.244.0.0/24', labels: { zone: 'a' }, taints: [] };
const runtime: RuntimeFacts = {
  version: '1.6.20',
  conditions: [{ type: 'RuntimeReady', status: true, reason: '', message: '' }],
  images: [],
};
const NOW = Date.UTC(2026, 10, 21, 12);
const statusOf = (facts: Partial<MachineFacts> = {}, from: RuntimeFacts | null = runtime) =>
  nodeStatus(identity, { ...machine, ...facts }, from, undefined, NOW);
const conditionsOf = (facts?: Partial<MachineFacts>, from?: RuntimeFacts | null) =>
  statusOf(facts, from).conditions?.map(({ type, status, reason, message }) =>
    [type, status, reason, message].join(' '),
  );

describe('nodeStatus', () => {
  it('says what the kubelet says of a node that is well', () => {
    expect(conditionsOf()).toEqual([
      'MemoryPressure False KubeletHasSufficientMemory kubelet has sufficient memory available',
      'DiskPressure False KubeletHasNoDiskPressure kubelet has no disk pressure',
      'PIDPressure False KubeletHasSufficientPID kubelet has sufficient PID available',
      'Ready True KubeletReady kubelet is posting ready status',
    ]);
    expect(statusOf()).toMatchObject({
      addresses: [
        { type: 'InternalIP', address: '192.168.0.1' },
        { type: 'Hostname', address: 'node-1' },
      ],
      capacity: { cpu: '2', memory: '4194304Ki', pods: '110' },
      allocatable: { memory: '4091904Ki' },
      daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } },
      nodeInfo: { containerRuntimeVersion: 'containerd://1.6.20', kubeletVersion: 'v1.36.0', operatingSystem: 'linux' },
    });
  });

  it('says what is wrong', () => {
    expect(conditionsOf({}, null)).toContain('Ready False KubeletNotReady container runtime is down');
    const broken = { type: 'NetworkReady', status: false, reason: 'NetworkPluginNotReady', message: 'no network' };
    expect(conditionsOf({}, { ...runtime, conditions: [broken] })).toContain(
      'Ready False KubeletNotReady container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:no network',
    );
    expect(conditionsOf({ diskFreeBytes: 1 })).toContain(
      'DiskPressure True KubeletHasDiskPressure kubelet has disk pressure',
    );
    expect(conditionsOf({ memoryFreeBytes: 1 })).toContain(
      'MemoryPressure True KubeletHasInsufficientMemory kubelet has insufficient memory available',
    );
  });

  it('is news only when more than a heartbeat has changed', () => {
    const later = nodeStatus(identity, machine, runtime, statusOf(), NOW + 60_000);
    expect(hasChanged(statusOf(), later)).toBe(false);
    expect(hasChanged(statusOf(), nodeStatus(identity, machine, null, statusOf(), NOW + 60_000))).toBe(true);
    const network = { type: 'NetworkUnavailable', status: 'False' as const };
    const others = { ...statusOf(), volumesInUse: ['a'], conditions: [network, ...statusOf().conditions!] };
    expect(hasChanged(others, later)).toBe(false);
  });
});

describe('turnsOf', () => {
  const well = statusOf();
  const withCondition = (type: string, status: string) => ({
    ...well,
    conditions: well.conditions!.map((condition) => (condition.type === type ? { ...condition, status } : condition)),
  });

  it.each([
    [
      'a node that is new',
      undefined,
      well,
      ['NodeHasSufficientMemory', 'NodeHasNoDiskPressure', 'NodeHasSufficientPID', 'NodeReady'],
    ],
    [
      'a node that is new and can do nothing yet',
      undefined,
      statusOf({}, null),
      ['NodeHasSufficientMemory', 'NodeHasNoDiskPressure', 'NodeHasSufficientPID'],
    ],
    ['a node as it was', well, well, []],
    ['a node whose runtime is gone', well, statusOf({}, null), ['NodeNotReady']],
    ['a node that somebody took for dead', withCondition('Ready', 'Unknown'), well, ['NodeReady']],
    ['a disk that fills up', well, statusOf({ diskFreeBytes: 1 }), ['NodeHasDiskPressure']],
    ['memory that gets short', well, statusOf({ memoryFreeBytes: 1 }), ['NodeHasInsufficientMemory']],
    ['processes that get many', well, statusOf({ pidsFree: 1 }), ['NodeHasInsufficientPID']],
    ['memory that is there again', statusOf({ memoryFreeBytes: 1 }), well, ['NodeHasSufficientMemory']],
    ['memory of which nobody knew', withCondition('MemoryPressure', 'Unknown'), well, ['NodeHasSufficientMemory']],
  ])('tells of %s', (_, before, now, turns) => {
    expect(turnsOf(before, now)).toEqual(turns);
  });
});

it('a node is registered with its labels and taints', () => {
  const taint = parseTaint('dedicated=db:NoSchedule')!;
  const node = newNode({ ...identity, taints: [taint] }, machine);
  expect(node.metadata.labels).toMatchObject({
    'kubernetes.io/hostname': 'node-1',
    'kubernetes.io/os': 'linux',
    zone: 'a',
  });
  expect(node.spec).toEqual({
    podCIDR: '10.244.0.0/24',
    podCIDRs: ['10.244.0.0/24'],
    taints: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }],
  });
});

it.each([
  ['a=b:NoExecute', { key: 'a', value: 'b', effect: 'NoExecute' }],
  ['a:NoSchedule', { key: 'a', effect: 'NoSchedule' }],
  ['a=b', undefined],
  ['a=b:Sometimes', undefined],
])('reads the taint %s', (text, expected) => {
  expect(parseTaint(text)).toEqual(expected);
});
