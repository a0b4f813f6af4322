import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { whyNoContainers } from '@periplus/containerd';
import { HELLO_ARCHIVE, kubectlPath, PERIPLUS } from '@periplus/testing';
import { type Figure, figure } from '../figure.ts';

const run = promisify(execFile);
const RUNS = 5;
/** Processes collect once when they have settled, and V8 takes eight seconds more to give memory back. */
const IDLE_MS = 20_000;
const POLL_MS = 10;
const MEGABYTE = 1e6;
const MEGABYTES_MAX = 500;

const POD = `apiVersion: v1
kind: Pod
metadata: { name: one }
spec:
  terminationGracePeriodSeconds: 0
  containers: [{ name: web, image: 'localhost/hello:1', imagePullPolicy: IfNotPresent }]
`;

/** A cluster with real containers: how soon it is there, how soon a pod runs, and what it takes at rest. */
export async function start(): Promise<Figure[]> {
  const obstacle = whyNoContainers();
  if (obstacle) throw new Error(`start needs real containers: ${obstacle}`);
  const kubectl = kubectlPath();
  const home = mkdtempSync(join(tmpdir(), 'periplus-bench-'));
  const environment = { ...process.env, PERIPLUS_HOME: home };
  const manifest = join(home, 'pod.yaml');
  writeFileSync(manifest, POD);
  const seconds = { ready: [] as number[], node: [] as number[], pod: [] as number[] };
  const memory: number[] = [];
  let processes: unknown;
  try {
    // The first `up` makes certificates and imports the image; the figure is about those after it.
    for (let turn = 0; turn <= RUNS; turn += 1) {
      const up = spawn(process.execPath, [PERIPLUS, 'up', '--json'], {
        env: environment,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const times = await upTimes(up);
      if (turn === 0) {
        await run(process.execPath, [PERIPLUS, 'image', 'import', HELLO_ARCHIVE], {
          env: environment,
        });
      } else {
        seconds.ready.push(times.apiServer / 1000);
        seconds.node.push(times.nodes / 1000);
        const kube = (...args: string[]) => run(kubectl, ['--kubeconfig', join(home, 'default/kubeconfig'), ...args]);
        const applied = performance.now();
        await kube('apply', '-f', manifest);
        while ((await kube('get', 'pod', 'one', '-o', 'jsonpath={.status.phase}')).stdout !== 'Running')
          await sleep(POLL_MS);
        seconds.pod.push((performance.now() - applied) / 1000);
        await kube('delete', 'pod', 'one', '--wait=true');
        if (turn === RUNS) {
          await sleep(IDLE_MS);
          const { stdout } = await run(process.execPath, [PERIPLUS, 'status', '--json'], { env: environment });
          const status = JSON.parse(stdout) as { processes: { name: string; residentBytes: number }[] };
          const ours = status.processes.filter(({ name }) => name !== 'etcd' && name !== 'containerd');
          memory.push(ours.reduce((sum, { residentBytes }) => sum + residentBytes, 0) / MEGABYTE);
          processes = Object.fromEntries(
            ours.map(({ name, residentBytes }) => [name, Math.round(residentBytes / MEGABYTE)]),
          );
        }
      }
      up.kill('SIGTERM');
      await once(up, 'exit');
    }
  } finally {
    await run(process.execPath, [PERIPLUS, 'down', '--delete'], { env: environment });
    rmSync(home, { recursive: true, force: true });
  }
  return [
    figure('up, already set up, to /readyz', 's', seconds.ready, { atMost: 2 }),
    figure('up, already set up, to node Ready', 's', seconds.node, { atMost: 4 }),
    figure('kubectl apply of one pod to Running', 's', seconds.pod, { atMost: 2 }),
    figure(
      'resident memory of all Node processes, idle, one node',
      'MB',
      memory,
      { atMost: MEGABYTES_MAX },
      { processes },
    ),
  ];
}

/** Milliseconds from the start of `up` until the API is ready and until every node is. */
async function upTimes(up: ChildProcess): Promise<{ apiServer: number; nodes: number }> {
  const started = performance.now();
  const times = { apiServer: 0, nodes: 0 };
  for await (const line of createInterface({ input: up.stdout! })) {
    const event = JSON.parse(line) as { event: string; step?: string };
    if (event.event === 'done' && event.step === 'api-server') times.apiServer = performance.now() - started;
    if (event.event === 'done' && event.step === 'nodes Ready') times.nodes = performance.now() - started;
    if (event.event === 'ready') return times;
  }
  throw new Error('up ended before the cluster was ready');
}
