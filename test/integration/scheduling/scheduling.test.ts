import type { ChildProcess } from 'node:child_process';
import { coreEvent, node as nodeKind, type Pod, pod as podKind } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { ClusterCache } from '@periplus/cache';
import { EventRecorder, openCommandClient } from '@periplus/client';
import { type Logger, Metrics } from '@periplus/component';
import { SCHEDULER_NAME, SCHEDULER_RESOURCES, Scheduler, schedulerMetrics } from '@periplus/scheduling';
import { Keys } from '@periplus/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ControlPlane,
  eventually,
  PROCESSES_MS_MAX,
  spawner,
  startControlPlane,
} from '../controllers/control-plane.ts';
import { podOf, serviceAccountOf } from '../operations/core.ts';

const keys = new Keys('/periplus');
const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

let plane: ControlPlane;

beforeAll(async () => {
  plane = await startControlPlane();
  await plane.core.create('v1/serviceaccounts', 'default', serviceAccountOf('default'));
});
afterAll(() => plane[Symbol.asyncDispose]());

/** A node that takes that many pods. New nodes are tainted until a controller sees them ready. */
async function addNode(name: string, pods: number, labels: Record<string, string> = {}): Promise<void> {
  const allocatable = { cpu: '100', memory: '100Gi', pods: String(pods) };
  await plane.core.create('v1/nodes', '', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels },
    spec: {},
    status: { allocatable },
  });
  await plane.patch(nodeKind, '', name, { spec: { taints: null } });
}
const removeNode = (name: string) => plane.admin.send({ verb: 'delete', kind: nodeKind, namespace: '', name }, null);

const createPod = (name: string, spec: object = {}) =>
  plane.core.create('v1/pods', 'default', podOf(name, { ...spec }));
const getPod = (name: string): DeepReadonly<Pod> => plane.get(podKind, 'default', name)!;
const nodeOf = (name: string): string | undefined => getPod(name)?.spec.nodeName;
const eventsOf = (name: string): string[] =>
  plane
    .list(coreEvent, 'default')
    .filter(({ involvedObject }) => involvedObject.name === name)
    .map(({ type, reason, message, source }) => `${type} ${reason} ${source?.component}: ${message}`);

describe('the scheduler on a real etcd and the core of the api-server', () => {
  const ending = new AbortController();
  let ended: Promise<void>;

  beforeAll(async () => {
    const commands = openCommandClient(await plane.connection('system:kube-scheduler'));
    const cache = new ClusterCache({
      etcd: plane.core.etcd,
      prefix: '/periplus',
      cipher: null,
      only: ({ group, resource }) =>
        SCHEDULER_RESOURCES.some((one) => one.group === group && one.resource === resource),
      log: quiet,
    });
    await cache.start(ending.signal);
    const events = new EventRecorder({ commands, component: SCHEDULER_NAME });
    const scheduler = new Scheduler({ cache, commands, events, metrics: schedulerMetrics(new Metrics()), log: quiet });
    ended = scheduler.run(ending.signal).then(() => commands.close());
  });
  afterAll(async () => {
    ending.abort();
    await ended;
  });

  it('binds pods, in the pod and in the inbox of its node at once', async () => {
    await addNode('n1', 2);
    await addNode('n2', 2);
    const names = ['a', 'b', 'c', 'd'];
    await Promise.all(names.map((name) => createPod(name)));
    await eventually(() => expect(names.map(nodeOf).sort()).toEqual(['n1', 'n1', 'n2', 'n2']));
    for (const name of names) {
      const stored = { group: '', resource: 'pods', namespace: 'default', name };
      const [pod, inbox] = await Promise.all(
        [keys.registry(stored), keys.inbox(nodeOf(name)!, 'default', name)].map((key) =>
          plane.core.etcd.range({ key }),
        ),
      );
      expect(inbox!.kvs[0]!.modRevision).toBe(pod!.kvs[0]!.modRevision);
      expect(getPod(name).status?.conditions).toMatchObject([{ type: 'PodScheduled', status: 'True' }]);
      const said = [`Normal Scheduled default-scheduler: Successfully assigned default/${name} to ${nodeOf(name)}`];
      await eventually(() => expect(eventsOf(name)).toEqual(said));
    }
  });

  it('says why a pod has no node, and binds it as soon as a node appears that takes it', async () => {
    await createPod('picky', { nodeSelector: { disk: 'ssd' } });
    const message =
      "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.";
    await eventually(() => {
      expect(getPod('picky').status).toMatchObject({
        phase: 'Pending',
        conditions: [
          { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, observedGeneration: 1 },
        ],
      });
      expect(eventsOf('picky')).toEqual([`Warning FailedScheduling default-scheduler: ${message}`]);
    });
    await addNode('n3', 2, { disk: 'hdd' });
    await addNode('n4', 2, { disk: 'ssd' });
    await eventually(() => expect(nodeOf('picky')).toBe('n4'));
    expect(getPod('picky').status?.conditions).toMatchObject([{ type: 'PodScheduled', status: 'True' }]);
    const { provenance } = plane.core.cache.get({ group: '', resource: 'pods', namespace: 'default', name: 'picky' })!;
    expect(provenance).toMatchObject({
      actor: 'system:kube-scheduler',
      cause: { key: 'core/nodes/n4', reconciler: 'scheduler' },
    });
  });

  it('holds a gated pod back, which says so itself, until its gate is lifted', async () => {
    const gated = await createPod('gated', { schedulingGates: [{ name: 'example.com/quota' }] });
    expect((gated.object as DeepReadonly<Pod>).status?.conditions).toMatchObject([{ reason: 'SchedulingGated' }]);
    await plane.patch(podKind, 'default', 'gated', { spec: { schedulingGates: [] } });
    await eventually(() => expect(nodeOf('gated')).toBeDefined());
  });

  it('binds a gang at one revision, once there is room for as many as it takes', async () => {
    await plane.core.create('scheduling.k8s.io/v1alpha2/podgroups', 'default', {
      apiVersion: 'scheduling.k8s.io/v1alpha2',
      kind: 'PodGroup',
      metadata: { name: 'gang' },
      spec: { schedulingPolicy: { gang: { minCount: 4 } } },
    });
    const names = ['g1', 'g2', 'g3', 'g4'];
    const spec = { schedulingGroup: { podGroupName: 'gang' }, nodeSelector: { pool: 'gang' } };
    await addNode('n5', 3, { pool: 'gang' });
    await Promise.all(names.map((name) => createPod(name, spec)));
    await eventually(() =>
      expect(eventsOf('g4')[0]).toMatch(/pod group gang needs nodes for 4 pods at once, 3 have one/),
    );
    expect(names.map(nodeOf)).toEqual([undefined, undefined, undefined, undefined]);
    await addNode('n6', 1, { pool: 'gang' });
    await eventually(() => expect(names.map(nodeOf).sort()).toEqual(['n5', 'n5', 'n5', 'n6']));
    const revisions = names.map(
      (name) => plane.core.cache.get({ group: '', resource: 'pods', namespace: 'default', name })!.revision,
    );
    expect(new Set(revisions).size).toBe(1);
    const group = await plane.core.get('scheduling.k8s.io/v1alpha2/podgroups', 'default', 'gang');
    expect(group).toMatchObject({ status: { conditions: [{ type: 'PodGroupScheduled', status: 'True' }] } });
    for (const name of names)
      await plane.admin.send(
        { kind: podKind, namespace: 'default', name, verb: 'delete', gracePeriodSeconds: 0 },
        null,
      );
    for (const name of ['n5', 'n6']) await removeNode(name);
  });

  it('puts a pod where another one was deleted', async () => {
    for (const name of ['n3', 'n4']) await removeNode(name);
    await createPod('next');
    await eventually(() =>
      expect(eventsOf('next')[0]).toMatch(
        /0\/2 nodes are available: 2 Too many pods\. no new claims to deallocate, preemption: 0\/2 nodes are available: 2 No preemption victims found for incoming pod\.$/,
      ),
    );
    const target = { kind: podKind, namespace: 'default', name: 'a' };
    const freed = nodeOf('a');
    await plane.admin.send({ ...target, verb: 'delete', gracePeriodSeconds: 0 }, null);
    await eventually(() => expect(nodeOf('next')).toBe(freed));
  });
});

describe('two schedulers', () => {
  const NODES = 10;
  const PODS_PER_NODE = 30;

  it('bind each pod once and fill each node exactly, though the one that leads is killed with the work half done', {
    timeout: PROCESSES_MS_MAX,
  }, async () => {
    for (const { metadata } of plane.list(nodeKind)) await removeNode(metadata.name!);
    for (let at = 0; at < NODES; at += 1) await addNode(`w${at}`, PODS_PER_NODE);
    /** Of each pod, every node that it was ever on. */
    const seen = new Map<string, string[]>();
    let bound = 0;
    const unsubscribe = plane.core.cache.subscribe((_, changes) => {
      for (const { entry, previous } of changes) {
        if (entry.key.resource !== 'pods') continue;
        const { nodeName } = (entry.object as Pod).spec;
        if (!nodeName || nodeName === (previous?.object as Pod | undefined)?.spec.nodeName) continue;
        seen.set(entry.key.name, [...(seen.get(entry.key.name) ?? []), nodeName]);
        bound += 1;
      }
    });
    using schedulers = await spawner(plane, 'scheduler', () => ({ leaseSeconds: 2 }));
    const leader = schedulers.start();
    await leads(leader);
    schedulers.start();
    const names = Array.from({ length: NODES * PODS_PER_NODE }, (_, at) => `many-${at}`);
    const create = (from: number, to: number) => Promise.all(names.slice(from, to).map((name) => createPod(name)));
    const firstHalf = create(0, names.length / 2);
    await eventually(() => expect(bound).toBeGreaterThan(0));
    leader.kill('SIGKILL');
    await Promise.all([firstHalf, create(names.length / 2, names.length)]);
    await eventually(() => expect(names.filter((name) => !nodeOf(name))).toEqual([]));
    unsubscribe();
    expect([...seen.values()].filter((nodes) => nodes.length !== 1)).toEqual([]);
    const counts = new Map<string, number>();
    for (const name of names) counts.set(nodeOf(name)!, (counts.get(nodeOf(name)!) ?? 0) + 1);
    expect([...counts.values()]).toEqual(Array(NODES).fill(PODS_PER_NODE));
  });

  const leads = ({ pid }: ChildProcess) =>
    eventually(async () => {
      const { kvs } = await plane.core.etcd.range({ key: keys.election('scheduler') });
      expect(JSON.parse(kvs[0]?.value.toString() ?? 'null')).toMatchObject({ pid });
    });
});
