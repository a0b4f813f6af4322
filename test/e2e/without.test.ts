import { startCluster, type TestCluster } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

describe('a cluster without controller-manager, scheduler and node-agent', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startCluster(0, ['controller-manager', 'scheduler', 'node-agent']);
  });
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  it('is an api-server and its etcd, and nothing else', async () => {
    const { processes } = cluster.status();
    expect(processes.map(({ name, state }) => `${name} ${state}`).sort()).toEqual([
      'api-server running',
      'etcd running',
    ]);
    expect(await cluster.kubectl('get', 'nodes')).toBe('');
  });

  it('keeps what it is given, and nobody acts on it', async () => {
    await cluster.kubectl('create', 'deployment', 'web', '--image=web', '--replicas=3');
    expect(await cluster.kubectl('get', 'deployment', 'web', '-o', 'jsonpath={.spec.replicas} {.status}')).toBe('3 {}');
    expect(await cluster.kubectl('get', 'replicasets', '-o', 'name')).toBe('');
  });

  it('stays without them at its next up', async () => {
    await cluster.periplus('down');
    await cluster.periplus('up', '--detach');
    expect(cluster.status().processes).toHaveLength(2);
    expect(await cluster.kubectl('get', 'deployment', '-o', 'name')).toBe('deployment.apps/web\n');
  });

  it('does not take both simulated nodes and no node-agent, nor a component that there is not', async () => {
    const up = (...args: string[]) => cluster.periplus('up', '--detach', '--name', 'other', ...args);
    await expect(up('--simulate', '1', '--without', 'node-agent')).rejects.toThrow('contradict each other');
    await expect(up('--without', 'api-server')).rejects.toThrow(
      'write some of controller-manager, scheduler, node-agent',
    );
  });
});
