import { eventually } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ComposeCluster, composeTools } from './compose-cluster.ts';

const tools = composeTools();
const obstacle = 'obstacle' in tools ? tools.obstacle : undefined;
if (obstacle) process.stderr.write(`skipped: docker-compose.yml, because ${obstacle}\n`);

const MEMBERS = ['etcd-1', 'etcd-2', 'etcd-3'];
const PROGRAMS = ['api-server', 'controller-manager', 'scheduler', 'nodes'];
/** What a program prints that looks for keys where its files are. */
const LIST_KEYS =
  'for (const name of require("fs").readdirSync("/cluster", { recursive: true })) if (name.endsWith(".key")) console.log(name)';
const WRITES_AFTER_KILL = 20;
/** An election takes one to two of etcd's election timeouts, 0.5 s. */
const GAP_MS_MAX = 10_000;

describe.skipIf(obstacle)('docker-compose.yml', () => {
  let cluster: ComposeCluster;
  /** Names of all objects whose creation was acknowledged. */
  const acknowledged: string[] = [];

  beforeAll(async () => {
    if ('obstacle' in tools) return;
    cluster = await ComposeCluster.start(tools);
  });

  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  const nodesReady = () =>
    eventually(async () => {
      const table = await cluster.kubectl('get', 'nodes');
      expect(table.match(/^sim-\d +Ready /gm)).toHaveLength(3);
    });

  /** Writes one object after the other. Stops, with the longest time between two successes, when `enough` says so. */
  async function write(enough: () => boolean): Promise<number> {
    let gap = 0;
    let last = performance.now();
    for (let n = 0; !enough(); n += 1) {
      const name = `entry-${acknowledged.length}-${n}`;
      const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { text: name } };
      const code = await cluster.create('/api/v1/namespaces/default/configmaps', object).catch(() => 0);
      if (code !== 201) continue;
      acknowledged.push(name);
      gap = Math.max(gap, performance.now() - last);
      last = performance.now();
    }
    return gap;
  }

  it('has an API that answers on this machine, and three nodes, all Ready', async () => {
    await eventually(async () => expect(await cluster.kubectl('get', '--raw', '/readyz')).toBe('ok'));
    await nodesReady();
  });

  it('rolls a Deployment out', async () => {
    await cluster.kubectl('create', 'deployment', 'web', '--image=example.com/web', '--replicas=6');
    await cluster.kubectl('rollout', 'status', 'deploy/web', '--timeout=60s');
  });

  it('knows of each program whether it is healthy', async () => {
    await eventually(async () => {
      for (const program of PROGRAMS)
        expect(await cluster.docker(program, 'inspect', '--format={{.State.Health.Status}}')).toBe('healthy\n');
    });
  });

  it('gives each program its own keys alone', async () => {
    const keysOf = async (service: string) =>
      (await cluster.compose('exec', '-T', service, 'node', '-e', LIST_KEYS)).trim().split('\n').sort();
    expect(await keysOf('scheduler')).toEqual(['pki/etcd/scheduler.key', 'pki/scheduler.key']);
    expect(await keysOf('nodes')).toEqual(['pki/simulated-nodes.key']);
    expect(await keysOf('api-server')).not.toContain('pki/ca.key');
  });

  it.for(MEMBERS)('goes on writing when %s is killed, the leader or not', async (member, { annotate }) => {
    let enough = Number.POSITIVE_INFINITY;
    const writing = write(() => acknowledged.length >= enough);
    await cluster.docker(member, 'kill');
    enough = acknowledged.length + WRITES_AFTER_KILL;
    const gap = await writing;
    await annotate(`longest time without a write: ${Math.round(gap)} ms`);
    expect(gap).toBeLessThan(GAP_MS_MAX);
    const since = new Date().toISOString();
    await cluster.docker(member, 'start');
    // The next one may be killed only when this one is back.
    await eventually(async () =>
      expect(await cluster.docker(member, 'logs', `--since=${since}`)).toContain('published local member to cluster'),
    );
  });

  it('has lost no write that was acknowledged', async () => {
    const names = await cluster.kubectl('get', 'configmaps', '-o', 'jsonpath={.items[*].metadata.name}');
    const kept = new Set(names.split(' '));
    expect(acknowledged.length).toBeGreaterThanOrEqual(MEMBERS.length * WRITES_AFTER_KILL);
    expect(acknowledged.filter((name) => !kept.has(name))).toEqual([]);
  });

  it('finds everything as it was after down and up', async () => {
    const uid = () => cluster.kubectl('get', 'deploy/web', '-o', 'jsonpath={.metadata.uid}');
    const before = await uid();
    await cluster.compose('down', '--timeout=10');
    await cluster.compose('up', '--detach');
    await eventually(async () => expect(await uid()).toBe(before));
    await nodesReady();
    await cluster.kubectl('scale', 'deploy/web', '--replicas=7');
    await cluster.kubectl('rollout', 'status', 'deploy/web', '--timeout=60s');
  });
});
