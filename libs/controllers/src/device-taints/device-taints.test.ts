import { type Pod, pod, type ResourceClaim, type ResourceSlice, resourceClaim, resourceSlice } from '@periplus/api';
import { conditionOf } from '@periplus/apimachinery';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { cancelledDeviceEvictionController } from './cancelled-device-eviction-controller.ts';
import { deviceTaintEvictionController } from './device-taint-eviction-controller.ts';

const NS = 'ml';
const DRIVER = 'gpu.example.com';
type Device = NonNullable<ResourceSlice['spec']['devices']>[number];
type Taint = NonNullable<Device['taints']>[number];
type Results = NonNullable<NonNullable<NonNullable<ResourceClaim['status']>['allocation']>['devices']>['results'];
type Toleration = NonNullable<NonNullable<NonNullable<Results>[number]>['tolerations']>[number];

let sim: Simulation;
beforeEach(() => {
  sim = new Simulation(deviceTaintEvictionController as never);
});

const now = (): string => new Date(sim.cluster.nowMs).toISOString();
const broken = (): Taint => ({ key: 'health', value: 'broken', effect: 'NoExecute', timeAdded: now() });
const putSlice = (name: string, taints: Taint[], { generation = 1, device = 'gpu-0' } = {}): void => {
  sim.cluster.put(resourceSlice, {
    ...{ apiVersion: 'resource.k8s.io/v1', kind: 'ResourceSlice', metadata: { name } },
    spec: {
      ...{ driver: DRIVER, pool: { name: 'n1', generation, resourceSliceCount: 1 }, nodeName: 'n1' },
      devices: [{ name: device, taints }],
    },
  });
};
const putPod = (name: string, more: Partial<Pod['spec']> = {}, status: Pod['status'] = {}): Pod => {
  const resourceClaims = [{ name: 'gpu', resourceClaimName: 'gpus' }];
  const spec = { containers: [], nodeName: 'n1', resourceClaims, ...more };
  return sim.cluster.put(pod, { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: NS, name }, spec, status });
};
const putClaim = (users: Pod[], tolerations: Toleration[] = []): void => {
  const reservedFor = users.map(({ metadata: { name = '', uid = '' } }) => ({ resource: 'pods', name, uid }));
  const results = [{ request: 'gpu', driver: DRIVER, pool: 'n1', device: 'gpu-0', tolerations }];
  sim.cluster.put(resourceClaim, {
    ...{ apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaim', metadata: { namespace: NS, name: 'gpus' } },
    spec: { devices: { requests: [] } },
    status: { allocation: { devices: { results } }, reservedFor },
  });
};
const evicted = (): string[] =>
  sim
    .pods()
    .filter(({ metadata }) => metadata.deletionTimestamp)
    .map(({ metadata }) => metadata.name!);

describe('a pod whose device has a NoExecute taint', () => {
  it('is evicted, and told why', () => {
    const users = [putPod('a'), putPod('b')];
    putClaim(users);
    putSlice('s', [broken()]);
    const { steps } = deviceTaintEvictionController.reconcile({ namespace: NS, name: 'gpus' }, sim.cluster.view());
    const disruption = {
      reason: 'DeletionByDeviceTaintManager',
      message: 'Device Taint manager: deleting due to NoExecute taint',
    };
    expect(steps).toMatchObject([users.map(({ metadata }) => ({ verb: 'delete', ifUid: metadata.uid, disruption }))]);
    sim.settle();
    expect(evicted()).toEqual(['a', 'b']);
    expect(conditionOf(sim.pods()[0]!.status?.conditions, 'DisruptionTarget')).toMatchObject(disruption);
    const message = 'DeviceTaintManagerEviction Marking for deletion';
    expect(sim.events).toEqual([message, message]);
  });

  it.each<[string, (tainted: Taint) => void]>([
    ['it is not on a node yet', () => putClaim([putPod('a', { nodeName: undefined })])],
    ['it has ended', () => putClaim([putPod('a', {}, { phase: 'Succeeded' })])],
    [
      'a namesake of it had the device',
      () => {
        putClaim([{ ...putPod('a'), metadata: { namespace: NS, name: 'a', uid: 'other' } }]);
      },
    ],
    [
      'the taint is of an older generation',
      () => {
        putClaim([putPod('a')]);
        putSlice('t', [], { generation: 2 });
      },
    ],
    [
      'the taint is of another device',
      (taint) => {
        putClaim([putPod('a')]);
        putSlice('s', [taint], { device: 'gpu-1' });
      },
    ],
    [
      'the taint only keeps new pods off',
      (taint) => {
        putClaim([putPod('a')]);
        putSlice('s', [{ ...taint, effect: 'NoSchedule' }]);
      },
    ],
  ])('is left alone when %s', (_what, given) => {
    putSlice('s', [broken()]);
    given(broken());
    sim.settle();
    expect(evicted()).toEqual([]);
  });

  it.each<[string, Toleration[], number | undefined]>([
    ['nothing', [], 0],
    ['another taint', [{ key: 'heat', operator: 'Exists', effect: 'NoExecute' }], 0],
    ['another value', [{ key: 'health', operator: 'Equal', value: 'odd', effect: 'NoExecute' }], 0],
    ['only that no new pods come', [{ operator: 'Exists', effect: 'NoSchedule' }], 0],
    ['it for good', [{ key: 'health', operator: 'Equal', value: 'broken', effect: 'NoExecute' }], undefined],
    ['everything', [{ operator: 'Exists' }], undefined],
    ['it for a minute', [{ key: 'health', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 }], 60_000],
    ['it for less than no time', [{ operator: 'Exists', effect: 'NoExecute', tolerationSeconds: -1 }], 0],
    [
      'it for two times',
      [
        { key: 'health', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 },
        { operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 },
      ],
      30_000,
    ],
    ['it with seconds that do not count', [{ operator: 'Exists', tolerationSeconds: 30 }], undefined],
  ])('is evicted in time when its claim tolerates %s', (_what, tolerations, afterMs) => {
    putClaim([putPod('a')], tolerations);
    putSlice('s', [broken()]);
    const look = () => deviceTaintEvictionController.reconcile({ namespace: NS, name: 'gpus' }, sim.cluster.view());
    expect(look().lookAgainMs).toBe(afterMs || undefined);
    sim.settle();
    expect(evicted()).toEqual(afterMs === 0 ? ['a'] : []);
    sim.advance(afterMs ?? 1e9);
    sim.settle();
    expect(evicted()).toEqual(afterMs === undefined ? [] : ['a']);
  });

  it('stays when the taint goes before its time is over', () => {
    putClaim([putPod('a')], [{ operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 }]);
    putSlice('s', [broken()]);
    sim.settle();
    putSlice('s', []);
    sim.advance(60_000);
    sim.settle();
    expect(evicted()).toEqual([]);
  });
});

describe('the controller looks at a claim', () => {
  const keysOf = (plural: string, before: object | null, after: object | null) =>
    deviceTaintEvictionController.watches
      .filter(({ kind }) => kind.plural === plural)
      .flatMap(({ keys }) => keys(after as never, before as never, sim.cluster.view()));
  const GPUS = [{ namespace: NS, name: 'gpus' }];

  it('when a slice of its pool changes', () => {
    putClaim([]);
    putSlice('s', [broken()]);
    const slice = sim.cluster.truth().get(resourceSlice, '', 's')!;
    expect(keysOf('resourceslices', null, slice)).toEqual(GPUS);
    expect(keysOf('resourceslices', slice, null)).toEqual(GPUS);
    const elsewhere = { ...slice, spec: { ...slice.spec, pool: { ...slice.spec.pool, name: 'n2' } } };
    expect(keysOf('resourceslices', null, elsewhere)).toEqual([]);
  });

  it('when a pod that uses it comes to its node, and not when one only changes', () => {
    const bound = putPod('a');
    const waiting = { ...bound, spec: { ...bound.spec, nodeName: undefined } };
    expect(keysOf('pods', waiting, bound)).toEqual(GPUS);
    expect(keysOf('pods', null, bound)).toEqual(GPUS);
    expect(keysOf('pods', bound, bound)).toEqual([]);
    expect(keysOf('pods', null, waiting)).toEqual([]);
  });
});

describe('an eviction that was to come', () => {
  const forAMinute: Toleration[] = [{ operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 }];
  const [rule] = cancelledDeviceEvictionController.watches;
  const slice = () => sim.cluster.truth().get(resourceSlice, '', 's')!;
  /** What the controller says when the slice becomes one with these taints. */
  const saidAfter = (taints: Taint[]): string[] => {
    const before = slice();
    putSlice('s', taints);
    const refs = rule!.keys(slice() as never, before as never, sim.cluster.view());
    for (const ref of refs) sim.reconcile(cancelledDeviceEvictionController, ref);
    return sim.events;
  };

  it('is said to be called off when the taint goes in time', () => {
    putClaim([putPod('a')], forAMinute);
    putSlice('s', [broken()]);
    sim.advance(59_000);
    expect(saidAfter([])).toEqual(['DeviceTaintManagerEviction Cancelling deletion']);
  });

  it.each<[string, Toleration[], () => Taint[]]>([
    ['is only put off', forAMinute, () => [broken()]],
    ['was never to be', [{ operator: 'Exists' }], () => []],
    ['is due already', [], () => []],
  ])('is not when it %s', (_what, tolerations, taints) => {
    putClaim([putPod('a')], tolerations);
    putSlice('s', [broken()]);
    sim.advance(1_000);
    expect(saidAfter(taints())).toEqual([]);
  });

  it('is not when the pod has gone, or has to leave again', () => {
    const target = putPod('a');
    const ref = { namespace: NS, name: `a/${target.metadata.uid}` };
    putClaim([target], forAMinute);
    putSlice('s', [broken()]);
    sim.reconcile(cancelledDeviceEvictionController, ref);
    sim.cluster.remove(pod, NS, 'a');
    sim.reconcile(cancelledDeviceEvictionController, ref);
    expect(sim.events).toEqual([]);
  });
});
