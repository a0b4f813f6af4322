import { eventually, startCluster, type TestCluster } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Simulated nodes have 32 CPUs. */
const asking = (cpu: string) => [{ name: 'main', image: 'example.com/main', resources: { requests: { cpu } } }];
const podOf = (name: string, spec: object): object => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec });

describe('kubectl and the scheduler on simulated nodes', () => {
  let cluster: TestCluster;
  const create = async (...objects: object[]): Promise<void> => {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    expect((await cluster.tryKubectl(['create', '-f', '-'], { input })).stderr).toBe('');
  };

  beforeAll(async () => {
    cluster = await startCluster(2);
    await cluster.kubectl('wait', 'serviceaccount/default', '--for=create', '--timeout=30s');
  });
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  it('tells of a preemption: who had to go, for whom, and why', async () => {
    const priorityClass = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'urgent' } };
    await create({ ...priorityClass, value: 1000 });
    await create(...['low-0', 'low-1'].map((name) => podOf(name, { containers: asking('20') })));
    await cluster.kubectl('wait', 'pod/low-0', 'pod/low-1', '--for=condition=Ready', '--timeout=60s');
    await create(podOf('important', { priorityClassName: 'urgent', containers: asking('30') }));
    await cluster.kubectl('wait', 'pod/important', '--for=condition=Ready', '--timeout=90s');
    await eventually(async () => {
      const described = await cluster.kubectl('describe', 'pod', 'important');
      expect(described).toMatch(/Warning +FailedScheduling .*0\/2 nodes are available: 2 Insufficient cpu\./);
      expect(described).toMatch(/Normal +Scheduled .*Successfully assigned default\/important to sim-\d/);
    });
    const uid = await cluster.kubectl('get', 'pod', 'important', '-o', 'jsonpath={.metadata.uid}');
    const node = await cluster.kubectl('get', 'pod', 'important', '-o', 'jsonpath={.spec.nodeName}');
    const events = await cluster.kubectl('get', 'events', '--field-selector=reason=Preempted', '-o', 'name');
    expect(events.trim().split('\n')).toHaveLength(1);
    const message = 'jsonpath={.items[0].message}';
    expect(await cluster.kubectl('get', 'events', '--field-selector=reason=Preempted', '-o', message)).toBe(
      `Preempted by pod ${uid} on node ${node}`,
    );
    await eventually(async () => {
      expect((await cluster.kubectl('get', 'pods', '--no-headers')).match(/^low-\d/gm)).toHaveLength(1);
    });
    await cluster.kubectl('delete', 'pods', '--all', '--grace-period=1');
  });

  it('has others leave for enough pods of a gang, and nobody when that is too few', async () => {
    const gang = (name: string, minCount: number): object[] => [
      {
        apiVersion: 'scheduling.k8s.io/v1alpha2',
        kind: 'PodGroup',
        metadata: { name },
        spec: { schedulingPolicy: { gang: { minCount } } },
      },
      ...Array.from({ length: minCount }, (_, at) =>
        podOf(`${name}-${at}`, {
          ...{ schedulingGroup: { podGroupName: name }, priorityClassName: 'urgent', containers: asking('30') },
        }),
      ),
    ];
    const lows = ['low-0', 'low-1'];
    await create(...lows.map((name) => podOf(name, { containers: asking('20') })));
    await cluster.kubectl('wait', ...lows.map((name) => `pod/${name}`), '--for=condition=Ready', '--timeout=60s');
    await create(...gang('three', 3));
    await cluster.kubectl('wait', 'podgroup/three', '--for=condition=PodGroupScheduled=False', '--timeout=60s');
    expect((await cluster.kubectl('get', 'pods', '--no-headers')).match(/^low-\d.*Running/gm)).toHaveLength(2);
    await cluster.kubectl('delete', 'pods', 'three-0', 'three-1', 'three-2', '--grace-period=0', '--force');
    await create(...gang('two', 2));
    await cluster.kubectl('wait', 'podgroup/two', '--for=condition=PodGroupScheduled', '--timeout=90s');
    const nodes = await cluster.kubectl('get', 'pods', 'two-0', 'two-1', '-o', 'jsonpath={.items[*].spec.nodeName}');
    expect(nodes.split(' ').sort()).toEqual(['sim-0', 'sim-1']);
    await eventually(async () => {
      expect((await cluster.kubectl('get', 'pods', '--no-headers')).match(/^low-\d/gm)).toBeNull();
    });
    const uid = await cluster.kubectl('get', 'podgroup', 'two', '-o', 'jsonpath={.metadata.uid}');
    await eventually(async () => {
      const told = await cluster.kubectl('get', 'events', '--field-selector=reason=Preempted');
      for (const node of ['sim-0', 'sim-1']) expect(told).toContain(`Preempted by podgroup ${uid} on node ${node}`);
    });
    await cluster.kubectl('delete', 'pods', '--all', '--grace-period=1');
  });

  it('explains a pod: who refuses it where while it is pending, and the scores once it is not', async () => {
    await create(podOf('picky', { nodeSelector: { disk: 'ssd' }, containers: asking('1') }));
    expect(await cluster.periplus('explain', 'pod/picky')).toBe(
      [
        'It has no node.',
        "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
        "  sim-0  refused by NodeAffinity: node(s) didn't match Pod's node affinity/selector",
        "  sim-1  refused by NodeAffinity: node(s) didn't match Pod's node affinity/selector\n",
      ].join('\n'),
    );
    await cluster.kubectl('label', 'node', 'sim-1', 'disk=ssd');
    await cluster.kubectl('wait', 'pod/picky', '--for=condition=Ready', '--timeout=60s');
    const { node, message, nodes } = JSON.parse(await cluster.periplus('why-pending', 'po/picky', '--json'));
    expect([node, message]).toEqual([
      'sim-1',
      "1/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
    ]);
    expect(nodes[0]).toMatchObject({
      node: 'sim-1',
      refusedBy: null,
      scores: { NodeResourcesFit: expect.any(Number) },
    });
    await cluster.kubectl('delete', 'pods', '--all', '--grace-period=1');
  });

  it('binds a gang of 200 pods once they are there, all at one time', async () => {
    const minCount = 200;
    await create({
      apiVersion: 'scheduling.k8s.io/v1alpha2',
      kind: 'PodGroup',
      metadata: { name: 'training' },
      spec: { schedulingPolicy: { gang: { minCount } } },
    });
    const member = (at: number) =>
      podOf(`worker-${at}`, { schedulingGroup: { podGroupName: 'training' }, containers: asking('10m') });
    await create(...Array.from({ length: minCount - 1 }, (_, at) => member(at)));
    expect(await cluster.kubectl('get', 'pods', '-o', 'jsonpath={.items[*].spec.nodeName}')).toBe('');
    await create(member(minCount - 1));
    await cluster.kubectl('wait', 'podgroup/training', '--for=condition=PodGroupScheduled', '--timeout=60s');
    const nodes = await cluster.kubectl('get', 'pods', '-o', 'jsonpath={.items[*].spec.nodeName}');
    expect(nodes.split(' ')).toHaveLength(minCount);
  });
});
