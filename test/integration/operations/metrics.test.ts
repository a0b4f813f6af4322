import type { KubeObject } from '@periplus/apimachinery';
import type { NodeUsage } from '@periplus/operations';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, at, startCore, type TestCore, user } from './core.ts';

const NODES = 'metrics.k8s.io/v1beta1/nodes';
const PODS = 'metrics.k8s.io/v1beta1/pods';
const MIB = 1024 * 1024;

let core: TestCore;
/** What real nodes say, by name. */
const said = new Map<string, NodeUsage>();

const names = (list: { items: readonly { object: unknown }[] }): (string | undefined)[] =>
  list.items.map(({ object }) => (object as KubeObject).metadata.name);
const list = (resource: string, namespace = '', options = {}, who = admin) =>
  core.operations.list(core.as(who), at(resource, namespace), options);

async function addNode(name: string, metadata: object = {}): Promise<void> {
  await core.create('v1/nodes', '', { apiVersion: 'v1', kind: 'Node', metadata: { name, ...metadata } });
}

/** A pod that runs on `node`, with two containers. Its uid. */
async function addPod(name: string, node: string, metadata: object = {}): Promise<string> {
  const container = { image: 'i', resources: { requests: { cpu: '200m', memory: '64Mi' } } };
  const containers = ['web', 'side'].map((of) => ({ ...container, name: of }));
  const { object } = await core.create('v1/pods', 'default', {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, ...metadata } },
    spec: { nodeName: node, containers, automountServiceAccountToken: false },
  });
  await core.operations.patch(core.as(admin), at('v1/pods', 'default', name, 'status'), {
    mediaType: 'application/merge-patch+json',
    body: { value: { status: { phase: 'Running' } }, json: null },
  });
  return object.metadata.uid ?? '';
}

beforeAll(async () => {
  core = await startCore({ nodeUsage: async ({ metadata }) => said.get(metadata.name ?? '') ?? null });
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
  await core.create('v1/serviceaccounts', 'default', account);
  await addNode('real', { labels: { disk: 'ssd' } });
  await addNode('silent');
  await addNode('sim', {
    labels: { 'periplus.dev/simulated': 'true' },
    annotations: { 'periplus.dev/usage-cpu-percent': '50', 'periplus.dev/usage-memory-percent': '25' },
  });
  const uid = await addPod('a', 'real', { labels: { app: 'a' } });
  await addPod('new', 'real', { labels: { app: 'a' } });
  await addPod('unheard', 'silent');
  await addPod('s', 'sim', { labels: { app: 's' } });
  await addPod('t', 'sim', { annotations: { 'periplus.dev/usage-cpu': '1500m' } });
  said.set('real', {
    ...{ atMs: Date.parse('2026-01-01T00:00:10Z'), windowMs: 10_020 },
    node: { cpuNanoCores: 1_500_000_001, memoryBytes: 512 * MIB + 5 },
    pods: new Map([
      [
        uid,
        new Map([
          ['web', { cpuNanoCores: 250_000_000, memoryBytes: 10 * MIB }],
          ['side', { cpuNanoCores: 1_234, memoryBytes: MIB }],
        ]),
      ],
    ]),
  });
});
afterAll(() => core[Symbol.asyncDispose]());

describe('the metrics of nodes', () => {
  it('are what the node says, over the interval that it measured', async () => {
    const { object, resourceVersion } = await core.operations.get(core.as(admin), at(NODES, '', 'real'), {});
    expect(object).toMatchObject({
      ...{ kind: 'NodeMetrics', apiVersion: 'metrics.k8s.io/v1beta1' },
      metadata: { name: 'real', labels: { disk: 'ssd' } },
      ...{ timestamp: '2026-01-01T00:00:10Z', window: '10.02s' },
      usage: { cpu: '1500000001n', memory: '512Mi' },
    });
    expect(resourceVersion).toBe('');
  });

  it('leave out nodes that do not say, and those that are not selected', async () => {
    expect(names(await list(NODES))).toEqual(['real', 'sim']);
    expect(names(await list(NODES, '', { labelSelector: 'disk=ssd' }))).toEqual(['real']);
    expect(names(await list(NODES, '', { fieldSelector: 'metadata.name=sim' }))).toEqual(['sim']);
  });

  it('are not found where the node is not, or says nothing', async () => {
    const get = (name: string) => core.operations.get(core.as(admin), at(NODES, '', name), {});
    await expect(get('none')).rejects.toThrow('nodes "none" not found');
    await expect(get('silent')).rejects.toThrow('nodes.metrics.k8s.io "silent" not found');
  });
});

describe('the metrics of pods', () => {
  it('are those of each container', async () => {
    const { object } = await core.operations.get(core.as(admin), at(PODS, 'default', 'a'), {});
    expect(object).toMatchObject({
      ...{ kind: 'PodMetrics', metadata: { name: 'a', namespace: 'default', labels: { app: 'a' } } },
      containers: [
        { name: 'web', usage: { cpu: '250m', memory: '10Mi' } },
        { name: 'side', usage: { cpu: '1234n', memory: '1Mi' } },
      ],
    });
  });

  it('leave out pods that were not measured, and those that are not selected', async () => {
    expect(names(await list(PODS, 'default'))).toEqual(['a', 's', 't']);
    expect(names(await list(PODS, 'default', { labelSelector: 'app in (a, s)' }))).toEqual(['a', 's']);
    expect(names(await list(PODS, 'kube-system'))).toEqual([]);
    const get = (name: string) => core.operations.get(core.as(admin), at(PODS, 'default', name), {});
    await expect(get('new')).rejects.toThrow('pods.metrics.k8s.io "default/new" not found');
    await expect(get('none')).rejects.toThrow('pods "none" not found');
  });

  it('of simulated nodes are what their pods, or else the nodes, are told to report', async () => {
    const { items } = await list(PODS, 'default', { labelSelector: 'app!=a' });
    const usages = items.map(({ object }) => (object as unknown as { containers: { usage: object }[] }).containers);
    expect(usages.map(([web]) => web!.usage)).toEqual([
      { cpu: '100m', memory: '16Mi' },
      { cpu: '1500m', memory: '16Mi' },
    ]);
    const { object } = await core.operations.get(core.as(admin), at(NODES, '', 'sim'), {});
    expect(object).toMatchObject({ usage: { cpu: '3200m', memory: '64Mi' } });
  });

  it('are for those who may see them', async () => {
    await expect(list(PODS, 'default', {}, user('nobody'))).rejects.toThrow(
      'pods.metrics.k8s.io is forbidden: User "nobody" cannot list resource "pods" in API group "metrics.k8s.io" in the namespace "default"',
    );
    const manager = user('system:kube-controller-manager');
    expect(names(await list(PODS, 'default', {}, manager))).toContain('a');
  });
});
