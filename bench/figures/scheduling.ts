import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '@periplus/testing';
import { type Figure, figure } from '../figure.ts';
import { createPods } from '../pods.ts';
import { untilBound } from '../scheduler/bound.ts';

const NODES = 5_000;
const PODS = 10_000;
const POLL_MS = 100;

/** 10,000 pods on 5,000 simulated nodes: from the first create until etcd holds the last binding. */
export async function scheduling(): Promise<Figure[]> {
  await using cluster = await startCluster(NODES);
  const etcd = cluster.etcd();
  const anything = { key: '/periplus/', countOnly: true };
  const revisionBefore = (await etcd.range(anything)).revision;
  const started = performance.now();
  await createPods(cluster, PODS);
  await untilBound(etcd, PODS);
  const seconds = (performance.now() - started) / 1000;
  const running = await allRunning(cluster);
  const revisions = (await etcd.range(anything)).revision - revisionBefore;
  await etcd.close();
  return [
    figure('pods bound, 10,000 pods on 5,000 simulated nodes', 'pods/s', [PODS / seconds], { atLeast: 1_000 }),
    figure('etcd transactions per pod from create to Running', 'transactions', [revisions / PODS], undefined, {
      createToAllRunningSeconds: (running - started) / 1000,
    }),
  ];
}

async function allRunning(cluster: Awaited<ReturnType<typeof startCluster>>): Promise<number> {
  for (;;) {
    const { podPhases } = JSON.parse(await cluster.periplus('status', '--json')) as {
      podPhases: Record<string, number>;
    };
    if ((podPhases.Running ?? 0) >= PODS) return performance.now();
    await sleep(POLL_MS);
  }
}
