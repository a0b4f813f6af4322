import { deployment, namespace, node, pod } from '@periplus/api';
import { conditionOf, formatTime, isConditionTrue } from '@periplus/apimachinery';
import { openCommandClient } from '@periplus/client';
import { HollowNodes } from '@periplus/node';
import { Keys } from '@periplus/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, eventually, runControllers, startControlPlane } from './control-plane.ts';

const keys = new Keys('/periplus');
const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

describe('simulated nodes under the node controller', () => {
  let plane: ControlPlane;
  let nodes: HollowNodes;
  const stack = new AsyncDisposableStack();
  beforeAll(async () => {
    plane = stack.use(await startControlPlane());
    stack.use(await runControllers(plane));
    const commands = openCommandClient(await plane.connection('nodes', 'system:masters'));
    stack.defer(() => commands.close());
    nodes = new HollowNodes(
      {
        ...{ count: 2, namePrefix: 'sim-', podCidr: '10.128.0.0/9', cpus: 8, memoryGib: 16, podsPerNode: 110 },
        ...{ delays: { readyMs: 10, completeMs: 10, stopMs: 10 }, labels: {}, livenessTtlSeconds: 5 },
        usagePercent: { cpu: 50, memory: 50 },
      },
      { etcd: plane.core.etcd, keys, commands, log: silent },
    );
    await nodes.start();
    stack.defer(() => nodes.stop());
  });
  afterAll(() => stack.disposeAsync());

  const isReady = (name: string) => isConditionTrue(plane.get(node, '', name)?.status?.conditions, 'Ready');
  const taints = (name: string) => plane.get(node, '', name)?.spec.taints ?? [];

  it('become ready and lose the taint that they registered with', async () => {
    await eventually(() => {
      expect(isReady('sim-0') && isReady('sim-1')).toBe(true);
      expect([...taints('sim-0'), ...taints('sim-1')]).toEqual([]);
    });
  });

  it('keep pods that were to leave, once the taint that evicts them is gone', async () => {
    await plane.create(namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'tainted' }, spec: {} });
    const taint = (taints: object[] | null) => plane.patch(node, '', 'sim-1', { spec: { taints } });
    await taint([{ key: 'maintenance', effect: 'NoExecute' }]);
    await plane.create(pod, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'tainted', name: 'patient' },
      spec: {
        nodeName: 'sim-1',
        containers: [{ name: 'c', image: 'i' }],
        tolerations: [{ key: 'maintenance', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 3_600 }],
      },
    });
    await taint(null);
    const message = 'TaintManagerEviction Cancelling deletion of Pod tainted/patient';
    await eventually(() => expect(plane.events()).toContain(message));
  });

  it('keep pods that were to be disrupted, which say so no more after two minutes', async () => {
    await plane.create(namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'spared' }, spec: {} });
    await plane.create(pod, {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'spared', name: 'p' } },
      spec: { nodeName: 'sim-1', containers: [{ name: 'c', image: 'i' }] },
    });
    const found = () => plane.get(pod, 'spared', 'p')?.status?.conditions;
    await eventually(() => expect(isConditionTrue(found(), 'Ready')).toBe(true));
    const lastTransitionTime = formatTime(Date.now() - 119_000);
    const condition = { type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler', message: 'why' };
    const conditions = [...found()!, { ...condition, lastTransitionTime }];
    await plane.patch(pod, 'spared', 'p', { status: { conditions } }, 'status');
    await eventually(() => {
      const target = conditionOf(found(), 'DisruptionTarget');
      expect(target).toMatchObject({ status: 'False' });
      expect(target).not.toHaveProperty('reason');
      expect(target).not.toHaveProperty('message');
    });
    expect(isConditionTrue(found(), 'Ready')).toBe(true);
  });

  it('are told for how long they may keep what they have read', async () => {
    const told = (name: string) => plane.get(node, '', name)?.metadata.annotations?.['node.alpha.kubernetes.io/ttl'];
    await eventually(() => expect([told('sim-0'), told('sim-1')]).toEqual(['0', '0']));
  });

  it('are ready again, and so are their pods, after they were away', async () => {
    await plane.create(namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'd' }, spec: {} });
    await plane.create(deployment, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { namespace: 'd', name: 'web' },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { nodeName: 'sim-0', containers: [{ name: 'c', image: 'i' }] },
        },
      },
    });
    const readyPods = () => plane.list(pod, 'd').filter(({ status }) => isConditionTrue(status?.conditions, 'Ready'));
    await eventually(() => expect(readyPods()).toHaveLength(2));
    const uids = readyPods().map(({ metadata }) => metadata.uid);

    let wasAway = false;
    const unsubscribe = plane.core.cache.subscribe(() => {
      const ready = conditionOf(plane.get(node, '', 'sim-0')?.status?.conditions, 'Ready');
      wasAway ||= ready?.status === 'Unknown';
    });
    // As if the machine had been asleep for longer than its lease: it takes a new one, perhaps before anybody looks.
    await eventually(async () => {
      const { kvs } = await plane.core.etcd.range({ key: keys.liveness('sim-0') });
      if (kvs[0]) await plane.core.etcd.revoke(kvs[0].lease);
      expect(wasAway).toBe(true);
    });
    unsubscribe();
    await eventually(() => {
      expect(isReady('sim-0')).toBe(true);
      expect(taints('sim-0')).toEqual([]);
      expect(readyPods().map(({ metadata }) => metadata.uid)).toEqual(uids);
    });
  });
});
