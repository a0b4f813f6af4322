import { node as nodeKind } from '@periplus/api';
import { HollowNodes, type HollowOptions } from '@periplus/node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TestCluster } from './test-cluster.ts';

const SOON = { timeout: 20_000, interval: 25 };
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const log = { ...silent, child: () => log };

describe('hollow nodes', () => {
  let cluster: TestCluster;
  let nodes: HollowNodes | null = null;
  beforeEach(async () => {
    cluster = await TestCluster.start();
  });
  afterEach(async () => {
    await nodes?.stop();
    await cluster[Symbol.asyncDispose]();
  });

  const start = async (options: Partial<HollowOptions> = {}): Promise<HollowNodes> => {
    nodes = new HollowNodes(
      {
        ...{ count: 3, namePrefix: 'sim-', podCidr: '10.128.0.0/9', cpus: 8, memoryGib: 16, podsPerNode: 110 },
        ...{ delays: { readyMs: 50, completeMs: 50, stopMs: 50 }, labels: {}, livenessTtlSeconds: 5 },
        usagePercent: { cpu: 50, memory: 50 },
        ...options,
      },
      { etcd: await cluster.connect(), keys: cluster.keys, commands: cluster.commands, log },
    );
    await nodes.start();
    await vi.waitFor(() => expect(nodes!.notReady()).toBeUndefined(), SOON);
    return nodes;
  };
  const spec = { containers: [{ name: 'main', image: 'app:1' }] } as never;

  it('registers them and holds their liveness by one lease', async () => {
    await start();
    const alive = await cluster.etcd.range(cluster.keys.livenessRange());
    expect(alive.kvs.map(({ key }) => cluster.keys.parseLiveness(key))).toEqual(['sim-0', 'sim-1', 'sim-2']);
    expect(new Set(alive.kvs.map(({ lease }) => lease)).size).toBe(1);
    expect(cluster.object('nodes', '', 'sim-1')).toMatchObject({
      metadata: { labels: { 'kubernetes.io/hostname': 'sim-1', 'periplus.dev/simulated': 'true' } },
      spec: { podCIDR: '10.128.1.0/24' },
      status: { capacity: { cpu: '8', pods: '110' } },
    });
  });

  it('keep a Lease for each, owned by its node', async () => {
    await start();
    const uid = cluster.object('nodes', '', 'sim-1')!.metadata.uid;
    await vi.waitFor(() => {
      expect(cluster.object('leases', 'kube-node-lease', 'sim-1')).toMatchObject({
        metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'sim-1', uid }] },
        spec: { holderIdentity: 'sim-1', renewTime: expect.stringMatching(/\.\d{6}Z$/) },
      });
    }, SOON);
  });

  it('make their pods ready, each with an address of its own, and let them go', async () => {
    await start();
    for (let i = 0; i < 6; i += 1) await cluster.createPod({ metadata: { name: `pod-${i}` }, spec }, `sim-${i % 3}`);
    await vi.waitFor(() => {
      for (let i = 0; i < 6; i += 1) expect(cluster.status(`pod-${i}`)).toMatchObject({ phase: 'Running' });
    }, SOON);
    const addresses = Array.from({ length: 6 }, (_, i) => cluster.status(`pod-${i}`).podIP!);
    expect(new Set(addresses).size).toBe(6);
    expect(addresses[1]).toMatch(/^10\.128\.1\./);
    await cluster.deletePod('pod-1', 30);
    await vi.waitFor(() => expect(cluster.pod('pod-1')).toBeUndefined(), SOON);
    expect(nodes!.podCount).toBe(5);
  });

  it('come back when somebody has taken them for dead', async () => {
    await start();
    const ready = (status: string) => expect.objectContaining({ type: 'Ready', status });
    const conditionsOf = () =>
      (cluster.object('nodes', '', 'sim-1') as never as { status: { conditions: object[] } }).status.conditions;
    const unknown = { type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' };
    const target = { kind: nodeKind as never, namespace: '', name: 'sim-1', subresource: 'status' };
    await cluster.commands.send(
      { verb: 'patch', type: 'strategic', ...target, patch: { status: { conditions: [unknown] } } },
      null,
    );
    expect(conditionsOf()).toContainEqual(ready('Unknown'));
    await vi.waitFor(() => expect(conditionsOf()).toContainEqual(ready('True')), SOON);
  });

  it('leaves pods of other nodes alone', async () => {
    await start();
    await cluster.createPod({ metadata: { name: 'real' }, spec }, 'node-1');
    await cluster.createPod({ metadata: { name: 'hollow' }, spec }, 'sim-0');
    await vi.waitFor(() => expect(cluster.status('hollow').phase).toBe('Running'), SOON);
    expect(cluster.status('real').phase).toBe('Pending');
  });

  it('takes up where it was when it comes back, and gives no address twice', async () => {
    await start();
    await cluster.createPod({ metadata: { name: 'old' }, spec }, 'sim-0');
    await vi.waitFor(() => expect(cluster.status('old').phase).toBe('Running'), SOON);
    await nodes!.stop();
    await cluster.createPod({ metadata: { name: 'new' }, spec }, 'sim-0');
    await start();
    await vi.waitFor(() => expect(cluster.status('new').phase).toBe('Running'), SOON);
    expect(cluster.status('new').podIP).not.toBe(cluster.status('old').podIP);
  });

  it('refuses a range that is too small', () => {
    expect(() => new HollowNodes({ count: 300, podCidr: '10.0.0.0/16' } as never, {} as never)).toThrow(
      '10.0.0.0/16 has no room for 300 nodes',
    );
  });
});
