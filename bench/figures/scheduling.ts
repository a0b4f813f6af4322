import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '@periplus/testing';
import { type Figure, figure } from '../figure.ts';
import { createPods, deletePods } from '../pods.ts';
import { untilBound } from '../scheduler/bound.ts';

const NODES = 5_000;
const PODS = 10_000;
/** The first meets processes that have just begun, whose code is not compiled yet. */
const RUNS = 5;
const POLL_MS = 100;

/**
 * 10,000 pods on 5,000 simulated nodes: from the first create until etcd holds the last binding. Pods come as from a
 * controller; the same over REST shows what that costs beside it.
 */
export async function scheduling(): Promise<Figure[]> {
  await using cluster = await startCluster(NODES);
  const etcd = cluster.etcd();
  const anything = { key: '/periplus/', countOnly: true };
  const bound = { commands: [] as number[], rest: [] as number[] };
  const transactions: number[] = [];
  const createToAllRunningSeconds: number[] = [];
  for (const over of ['commands', 'rest'] as const) {
    for (let run = 0; run < RUNS; run += 1) {
      const prefix = `${over}-${run}`;
      const revisionBefore = (await etcd.range(anything)).revision;
      const started = performance.now();
      await createPods(cluster, PODS, { prefix, over });
      await untilBound(etcd, PODS);
      bound[over].push((1000 * PODS) / (performance.now() - started));
      const running = await allRunning(cluster);
      if (over === 'commands') {
        createToAllRunningSeconds.push((running - started) / 1000);
        transactions.push(((await etcd.range(anything)).revision - revisionBefore) / PODS);
      }
      await deletePods(cluster, PODS, prefix);
    }
  }
  await etcd.close();
  const name = 'pods bound, 10,000 pods on 5,000 simulated nodes';
  return [
    figure(name, 'pods/s', bound.commands, { atLeast: 1_000 }),
    figure(`${name}, created over REST`, 'pods/s', bound.rest),
    figure('etcd transactions per pod from create to Running', 'transactions', transactions, undefined, {
      createToAllRunningSeconds,
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
