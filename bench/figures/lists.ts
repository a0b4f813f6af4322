import { fork } from 'node:child_process';
import { join } from 'node:path';
import { readStatus, residentBytes } from '@periplus/supervisor';
import { startCluster, type TestCluster } from '@periplus/testing';
import { download } from '../download.ts';
import { type Figure, figure } from '../figure.ts';
import { createPods } from '../pods.ts';

const PODS = 10_000;
const RUNS = 7;
const AT_ONCE = 10;
const SAMPLE_MS = 10;
const PATH = '/api/v1/pods?resourceVersion=0';

/** LIST of 10,000 pods: how fast against a bare server, and what ten at once do to the server's memory. */
export async function lists(): Promise<Figure[]> {
  await using cluster = await startCluster(1);
  await createPods(cluster, PODS, { template: { spec: { schedulerName: 'nobody' } } });
  const bytes = await download(cluster.admin, PATH);
  const bare = await bareServer(cluster, bytes);
  const ratios: number[] = [];
  const speeds = { list: [] as number[], bare: [] as number[] };
  try {
    await download(bare.target, '/');
    for (let run = 0; run < RUNS; run += 1) {
      const bareSpeed = await megabytesPerSecond(() => download(bare.target, '/'));
      const listSpeed = await megabytesPerSecond(() => download(cluster.admin, PATH));
      speeds.bare.push(bareSpeed);
      speeds.list.push(listSpeed);
      ratios.push(listSpeed / bareSpeed);
    }
  } finally {
    bare.close();
  }
  const growth = await memoryGrowth(cluster);
  return [
    figure(
      'LIST of 10,000 pods / bare node:https server',
      'x',
      ratios,
      { atLeast: 0.5 },
      {
        listMegabytesPerSecond: speeds.list.map(Math.round),
        bareMegabytesPerSecond: speeds.bare.map(Math.round),
        responseBytes: bytes,
      },
    ),
    figure(
      'memory growth of 10 LISTs at once / response size',
      'x',
      [growth / bytes],
      { atMost: 3 },
      { growthBytes: growth },
    ),
  ];
}

async function megabytesPerSecond(run: () => Promise<number>): Promise<number> {
  const started = performance.now();
  const bytes = await run();
  return bytes / 1e3 / (performance.now() - started);
}

/** A server that does nothing but send one buffer, in a process of its own as the API server is. */
async function bareServer(cluster: TestCluster, bytes: number) {
  const child = fork(join(import.meta.dirname, '../bare-server.ts'), [cluster.folder.pki, String(bytes)]);
  const port = await new Promise<number>((resolve) => child.once('message', (message) => resolve(message as number)));
  return { target: { ...cluster.admin, port }, close: () => child.kill() };
}

/** Highest resident memory of the API server while ten clients list, less that before. */
async function memoryGrowth(cluster: TestCluster): Promise<number> {
  const pid = readStatus(cluster.folder)?.processes.find(({ name }) => name === 'api-server')?.pid;
  if (!pid) throw new Error('the api-server does not run');
  const before = residentBytes(pid)!;
  let highest = before;
  const sampler = setInterval(() => {
    highest = Math.max(highest, residentBytes(pid) ?? 0);
  }, SAMPLE_MS);
  await Promise.all(Array.from({ length: AT_ONCE }, () => download(cluster.admin, PATH)));
  clearInterval(sampler);
  return highest - before;
}
