import type { Kind, PersistentVolume, PersistentVolumeClaim, PodGroup, StorageClass } from '@periplus/api';
import { persistentVolume, persistentVolumeClaim, podGroup, pod as podKind, storageClass } from '@periplus/api';
import { StatusError } from '@periplus/apimachinery';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DEFAULT_ARGS } from './plugin-catalog.ts';
import { type ChosenSets, pluginSets } from './plugin-sets.ts';
import { makeProfile, SCHEDULER_NAME } from './profile.ts';
import { makeNode, makePod } from './testing/objects.ts';
import { SchedulingTest } from './testing/scheduling.ts';

let test: SchedulingTest;
beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:00Z') });
  test = new SchedulingTest();
});
afterEach(async () => {
  const ended = test.stop();
  await vi.advanceTimersByTimeAsync(2_000);
  await ended;
  vi.useRealTimers();
});
const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

const start = (chosen: ChosenSets, volumeBindingMsMax = DEFAULT_ARGS.volumeBindingMsMax): void =>
  test.start([
    makeProfile(SCHEDULER_NAME, { sets: pluginSets(chosen), args: { ...DEFAULT_ARGS, volumeBindingMsMax } }),
  ]);
const without = (...disabled: string[]) => ({ enabled: [], disabled });
const FULL = { allocatable: { pods: '1' } };

it.each<[string, ChosenSets, string]>([
  ['preemption', { postFilter: without('DefaultPreemption') }, ' no new claims to deallocate'],
  ['anything after the filters', { postFilter: without('*') }, ''],
])('has nobody leave for others without %s', async (_, chosen, ending) => {
  start(chosen);
  test.put(makeNode('a', FULL), makePod('low'));
  await settle();
  test.put(makePod('high', { priority: 10 }));
  await settle(10_000);
  expect(test.nodeOf('low', 'high')).toEqual(['a', undefined]);
  expect(test.said('Preempted')).toEqual([]);
  expect(test.said('FailedScheduling')).toEqual([`0/1 nodes are available: 1 Too many pods.${ending}`]);
});

it('says only of preemption that it is no help, without those who look after devices', async () => {
  start({ postFilter: without('DynamicResources') });
  test.put(makeNode('a', { allocatable: { pods: '0' } }), makePod('p'));
  await settle();
  const tail = 'preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.';
  expect(test.said('FailedScheduling')).toEqual([`0/1 nodes are available: 1 Too many pods. ${tail}`]);
});

it('leaves it to the api-server to refuse pods with gates, where it does not hold them itself', async () => {
  start({ preEnqueue: without('SchedulingGates') });
  const refused = new StatusError('Conflict', 'pod p has non-empty .spec.schedulingGates');
  test.answer = (command) => (command.subresource === 'binding' ? Promise.reject(refused) : undefined);
  test.put(makeNode('a'), makePod('p', { schedulingGates: [{ name: 'wait' }] }));
  await settle();
  expect(test.sent('binding')).toHaveLength(1);
  await settle(5_000);
  expect(test.sent('binding').length).toBeGreaterThan(1);
  test.answer = () => undefined;
  test.put(makePod('p'));
  await settle(10_000);
  expect(test.nodeOf('p')).toEqual(['a']);
});

function putUnboundClaim(): void {
  test.cluster.put(storageClass, {
    ...{ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'local' } },
    ...{ provisioner: 'kubernetes.io/no-provisioner', volumeBindingMode: 'WaitForFirstConsumer' },
  } as StorageClass);
  const size = { storage: '1Gi' };
  const spec = { accessModes: ['ReadWriteOnce'], storageClassName: 'local' };
  test.cluster.put(persistentVolume, {
    ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'pv' }, status: { phase: 'Available' } },
    spec: { ...spec, capacity: size },
  } as PersistentVolume);
  test.cluster.put(persistentVolumeClaim, {
    ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { namespace: 'default', name: 'data' } },
    ...{ spec: { ...spec, resources: { requests: size } }, status: { phase: 'Pending' } },
  } as PersistentVolumeClaim);
}
const claiming = (name: string) =>
  makePod(name, { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] });
const changed = ({ plural }: Pick<Kind, 'plural'>) =>
  test.cluster.sent.filter(({ command }) => command.kind.plural === plural && command.subresource === undefined);

it('binds no volumes before a pod where it is not to', async () => {
  putUnboundClaim();
  start({ preBind: without('VolumeBinding') });
  test.put(makeNode('a'), claiming('p'));
  await settle();
  expect(test.nodeOf('p')).toEqual(['a']);
  expect(changed(persistentVolume)).toEqual([]);
});

it('waits for volumes as long as it is told, and then thinks again', async () => {
  putUnboundClaim();
  start({}, 30_000);
  test.put(makeNode('a'), claiming('p'));
  await settle(29_000);
  expect(changed(persistentVolume)).toHaveLength(1);
  await settle(5_000);
  expect(test.metrics.text()).toContain(
    'scheduler_schedule_attempts_total{result="error",profile="default-scheduler"} 1',
  );
  const message = 'running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded';
  expect(test.said('FailedScheduling')[0]).toBe(message);
  expect(changed(podKind)).toEqual([]);
  expect(test.nodeOf('p')).toEqual([undefined]);
});

it('schedules the pods of a gang one by one where it does not hold them together', async () => {
  start({ preEnqueue: without('GangScheduling') });
  const schedulingPolicy = { gang: { minCount: 3 } };
  test.cluster.put(podGroup, {
    ...{ apiVersion: 'scheduling.k8s.io/v1alpha2', kind: 'PodGroup' },
    ...{ metadata: { name: 'g', namespace: 'default' }, spec: { schedulingPolicy } },
  } as PodGroup);
  test.put(makeNode('a', FULL), makePod('p', { schedulingGroup: { podGroupName: 'g' } }));
  await settle();
  expect(test.nodeOf('p')).toEqual(['a']);
});
