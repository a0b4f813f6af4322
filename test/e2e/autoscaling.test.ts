import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, HELLO_ARCHIVE, startCluster, type TestCluster, whyNoTestContainers } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const obstacle = whyNoTestContainers();
if (obstacle) process.stderr.write(`skipped: autoscaling of real containers, because ${obstacle}\n`);

/** Nodes measure every ten seconds. */
const MEASURED_MS = 120_000;
/** Works as long as a file is there; a tenth of a core at most, not to be in the way of other tests. */
const WORK = 'while :; do if [ -e /flag/busy ]; then for i in $(seq 2000); do :; done; else sleep 0.2; fi; done';

const deployment = (flag: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'worker', namespace: 'default' },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'worker' } },
    template: {
      metadata: { labels: { app: 'worker' } },
      spec: {
        terminationGracePeriodSeconds: 0,
        volumes: [{ name: 'flag', hostPath: { path: flag } }],
        containers: [
          {
            ...{ name: 'app', image: 'localhost/hello:1', imagePullPolicy: 'IfNotPresent' },
            command: ['/bin/sh', '-c', WORK],
            resources: { requests: { cpu: '50m', memory: '16Mi' }, limits: { cpu: '100m' } },
            volumeMounts: [{ name: 'flag', mountPath: '/flag' }],
          },
        ],
      },
    },
  },
});

describe.skipIf(obstacle)('a Deployment of real containers', () => {
  const flag = mkdtempSync(join(tmpdir(), 'periplus-busy-'));
  const busy = join(flag, 'busy');
  let cluster: TestCluster;
  const replicas = () => cluster.kubectl('get', 'deploy', 'worker', '-o', 'jsonpath={.spec.replicas}');

  beforeAll(async () => {
    // The container's user is not the test's.
    chmodSync(flag, 0o755);
    cluster = await startCluster(0);
    await cluster.periplus('image', 'import', HELLO_ARCHIVE);
    await cluster.periplus('down');
    const settings = JSON.parse(readFileSync(cluster.folder.settings, 'utf8'));
    const autoscaler = { syncPeriodSeconds: 2, downscaleStabilizationSeconds: 5, cpuInitializationSeconds: 0 };
    writeFileSync(cluster.folder.settings, JSON.stringify({ ...settings, controllerManager: { autoscaler } }));
    await cluster.periplus('up', '--detach');
    writeFileSync(busy, '');
    const { stderr } = await cluster.tryKubectl(['create', '-f', '-'], { input: JSON.stringify(deployment(flag)) });
    expect(stderr).toBe('');
    await cluster.kubectl('rollout', 'status', 'deploy/worker', '--timeout=120s');
  });

  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
    rmSync(flag, { recursive: true, force: true });
  });

  it('shows in kubectl top what it uses', async () => {
    await eventually(async () => {
      const pods = await cluster.kubectl('top', 'pods', '--containers', '--no-headers');
      const [, cpu] = /^worker-\S+ +app +(\d+)m +\d+Mi *$/m.exec(pods) ?? [];
      expect(Number(cpu)).toBeGreaterThan(25);
    }, MEASURED_MS);
    const nodes = await cluster.kubectl('top', 'nodes', '--no-headers');
    expect(nodes).toMatch(/^\S+ +\d+m +\d+% +\d+Mi +\d+% *$/m);
  });

  it('gets more pods while they are busy, and fewer when they are not', async () => {
    await cluster.kubectl('autoscale', 'deploy/worker', '--cpu=40%', '--min=1', '--max=3');
    await eventually(async () => expect(await replicas()).toBe('3'), MEASURED_MS);
    rmSync(busy);
    await eventually(async () => expect(await replicas()).toBe('1'), MEASURED_MS);
    expect(await cluster.kubectl('describe', 'hpa', 'worker')).toMatch(
      /New size: 3; reason: cpu resource utilization \(percentage of request\) above target/,
    );
  });
});
