import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, HELLO_ARCHIVE, startCluster, type TestCluster, whyNoTestContainers } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const obstacle = whyNoTestContainers();
if (obstacle) process.stderr.write(`skipped: the main job on real containers, because ${obstacle}\n`);

const SAMPLE = join(import.meta.dirname, '../../samples/hello.yaml');
/** What is killed without warning, in turn. */
const VICTIMS = ['api-server', 'controller-manager', 'scheduler', 'node-agent', 'containerd', 'etcd'];

interface Pod {
  metadata: { name: string; uid: string; deletionTimestamp?: string };
  status: { phase: string; podIP?: string; conditions?: { type: string; status: string }[] };
}

describe.skipIf(obstacle)('samples/hello.yaml on real containers, with the real kubectl', () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await startCluster(0);
    await cluster.periplus('image', 'import', HELLO_ARCHIVE);
  });

  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  const pods = async (): Promise<Pod[]> => {
    const list = JSON.parse(await cluster.kubectl('-n', 'hello', 'get', 'pods', '-o', 'json')) as { items: Pod[] };
    return list.items;
  };
  const isReady = ({ metadata, status }: Pod): boolean =>
    !metadata.deletionTimestamp &&
    (status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false);
  const readyPods = async (count: number): Promise<Pod[]> => {
    const all = await pods();
    expect(all.map(({ metadata }) => metadata.name).sort()).toHaveLength(count);
    expect(all.filter(isReady)).toHaveLength(count);
    return all;
  };

  it('applies, and says when the rollout is done', async () => {
    expect(await cluster.kubectl('apply', '-f', SAMPLE)).toContain('deployment.apps/hello created');
    const rollout = await cluster.kubectl('-n', 'hello', 'rollout', 'status', 'deploy/hello', '--timeout=60s');
    expect(rollout).toContain('deployment "hello" successfully rolled out');
  });

  it('shows three pods, Running and Ready, with three addresses', async () => {
    const table = await cluster.kubectl('-n', 'hello', 'get', 'pods', '-o', 'wide');
    expect(table.split('\n')[0]).toMatch(
      /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES$/,
    );
    expect(table.match(/ 1\/1 +Running +0 /g)).toHaveLength(3);
    const addresses = (await readyPods(3)).map(({ status }) => status.podIP);
    expect(new Set(addresses).size).toBe(3);
  });

  it('answers from each pod with the text of the ConfigMap', async () => {
    for (const { status } of await readyPods(3)) expect(await get(status.podIP!)).toBe('Hello from a ConfigMap.\n');
  });

  it('gives the containers their Secret, as a variable and as a file', async () => {
    const logs = await cluster.kubectl('-n', 'hello', 'logs', 'deploy/hello');
    expect(logs).toContain('serving /www on port 8080');
    const secret = JSON.parse(await cluster.kubectl('-n', 'hello', 'get', 'secret', 'password', '-o', 'json'));
    expect(Buffer.from(secret.data.password, 'base64').toString()).toBe('open sesame');
  });

  it('keeps the Secret unreadable in etcd', async () => {
    const etcd = cluster.etcd();
    const { kvs } = await etcd.range({ key: '/periplus/registry/core/secrets/hello/password' });
    await etcd.close();
    expect(kvs).toHaveLength(1);
    const stored = kvs[0]!.value.toString('latin1');
    expect(stored).toContain('"name":"password"');
    expect(stored).not.toContain('open sesame');
    expect(stored).not.toContain(Buffer.from('open sesame').toString('base64').slice(0, 12));
  });

  it('scales to five', async () => {
    await cluster.kubectl('-n', 'hello', 'scale', 'deploy/hello', '--replicas=5');
    await cluster.kubectl('-n', 'hello', 'rollout', 'status', 'deploy/hello', '--timeout=60s');
    await readyPods(5);
  });

  it('rolls an update out, and at no moment is no pod ready', async () => {
    const ready: number[] = [];
    let rolling = true;
    const watching = (async () => {
      while (rolling) {
        ready.push((await pods()).filter(isReady).length);
        await sleep(50);
      }
    })();
    await cluster.kubectl('-n', 'hello', 'set', 'env', 'deploy/hello', 'GREETING=again');
    await cluster.kubectl('-n', 'hello', 'rollout', 'status', 'deploy/hello', '--timeout=120s');
    rolling = false;
    await watching;
    expect(Math.min(...ready)).toBeGreaterThan(0);
    await eventually(() => readyPods(5));
    expect(await cluster.kubectl('-n', 'hello', 'logs', 'deploy/hello')).toContain('again from hello-');
  });

  it('brings deleted pods back', async () => {
    const before = new Set((await readyPods(5)).map(({ metadata }) => metadata.uid));
    await cluster.kubectl('-n', 'hello', 'delete', 'pod', '-l', 'app=hello', '--wait=false');
    await eventually(async () => {
      for (const { metadata } of await readyPods(5)) expect(before).not.toContain(metadata.uid);
    }, 120_000);
  });

  it.each(VICTIMS)('converges after %s was killed in the middle of a change', async (victim) => {
    const before = cluster.status().processes.find(({ name }) => name === victim)!;
    const replicas = 3 + (VICTIMS.indexOf(victim) % 3);
    await cluster.kubectl('-n', 'hello', 'scale', 'deploy/hello', `--replicas=${replicas}`);
    process.kill(before.pid!, 'SIGKILL');
    await eventually(() => {
      const now = cluster.status().processes.find(({ name }) => name === victim)!;
      expect(now).toMatchObject({ state: 'running', restarts: before.restarts + 1 });
    });
    const ready = await eventually(() => readyPods(replicas), 120_000);
    for (const { status } of ready) expect(await get(status.podIP!)).toBe('Hello from a ConfigMap.\n');
  });

  it('leaves no container behind when the namespace is deleted', async () => {
    await cluster.kubectl('delete', 'namespace', 'hello', '--timeout=60s');
    expect((await cluster.tryKubectl(['get', 'namespace', 'hello'])).stderr).toContain('namespaces "hello" not found');
    await eventually(() => expect(containersOf(cluster)).toEqual([]));
  });
});

/** Processes of the cluster's pods, by the control group that all of them are below. */
function containersOf(cluster: TestCluster): string[] {
  const cgroup = `/periplus-${cluster.folder.id}/`;
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return processes.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(cgroup);
    } catch {
      return false; // ended meanwhile
    }
  });
}

function get(address: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request({ host: address, port: 8080, path: '/', agent: false, timeout: 5_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    });
    call.on('timeout', () => call.destroy(new Error(`${address} does not answer`)));
    call.on('error', reject);
    call.end();
  });
}
