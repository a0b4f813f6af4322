import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster } from '@periplus/testing';
import { type Figure, figure, percentile } from '../figure.ts';
import { benchPod } from '../pod.ts';
import { jsonRequest, RawConnection } from '../raw-https.ts';

const WATCHERS = 1_000;
const CHANGES_PER_SECOND = 200;
const RUNS = 3;
const RUN_MS = 10_000;
const TICK_MS = 20;
const PODS = 50;
const SETTLE_MS = 1_000;

/** 1,000 watchers of pods while 200 changes a second are made: from before a change is sent until it is delivered. */
export async function watches(): Promise<Figure[]> {
  await using cluster = await startCluster(1);
  const connections = await Promise.all(Array.from({ length: 8 }, () => RawConnection.open(cluster.admin)));
  for (let index = 0; index < PODS; index += 1) {
    const pod = benchPod(`pod-${index}`);
    await connections[0]!.send(
      jsonRequest('POST', '/api/v1/namespaces/default/pods', {
        ...pod,
        spec: { containers: [{ name: 'a', image: 'a' }], schedulerName: 'nobody' },
      }),
    );
  }
  const watchers = fork(join(import.meta.dirname, '../watchers.ts'), [
    String(cluster.admin.port),
    cluster.folder.pki,
    String(WATCHERS),
  ]);
  await once(watchers, 'message');
  const p99: number[] = [];
  const p50: number[] = [];
  const delivered: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    watchers.send('reset');
    await changes(connections);
    await sleep(SETTLE_MS);
    watchers.send('report');
    const [delays] = (await once(watchers, 'message')) as [number[]];
    p99.push(percentile(delays, 0.99));
    p50.push(percentile(delays, 0.5));
    delivered.push(delays.length);
  }
  watchers.removeAllListeners('exit').kill();
  for (const connection of connections) connection.close();
  return [
    figure(
      'change to delivery p99, 1,000 watchers, 200 changes/s',
      'ms',
      p99,
      { atMost: 100 },
      {
        p50,
        delivered,
        expected: (WATCHERS * CHANGES_PER_SECOND * RUN_MS) / 1000,
      },
    ),
  ];
}

/** Spreads the changes evenly; a late tick makes up for what it missed. */
async function changes(connections: RawConnection[]): Promise<void> {
  const started = performance.now();
  let sent = 0;
  const idle = [...connections];
  while (performance.now() - started < RUN_MS) {
    const due = ((performance.now() - started) * CHANGES_PER_SECOND) / 1000;
    const pending: Promise<void>[] = [];
    for (; sent < due && idle.length > 0; sent += 1) {
      const connection = idle.pop()!;
      pending.push(change(connection, sent % PODS).then(() => void idle.push(connection)));
    }
    await sleep(TICK_MS / 4);
    await Promise.all(pending);
  }
}

async function change(connection: RawConnection, pod: number): Promise<void> {
  const patch = { metadata: { annotations: { 'bench/at': String(Date.now()) } } };
  const path = `/api/v1/namespaces/default/pods/pod-${pod}`;
  const request = jsonRequest('PATCH', path, patch, 'application/merge-patch+json');
  const { status, body } = await connection.send(request);
  if (status !== 200) throw new Error(`patch answered ${status}: ${body.toString().slice(0, 300)}`);
}
