import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { prefixEnd, type WatchOptions } from '@periplus/etcd';
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
const KEYS = '/periplus/registry/core/pods/';
const PODS_KEYS = { key: KEYS, rangeEnd: prefixEnd(KEYS) };
const MARK = /"bench\/at":"(\d+)"/;

/**
 * 1,000 watchers of pods while 200 changes a second are made: from when etcd tells of the commit until the event is
 * delivered, and beside it from before the change was sent.
 */
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
  const etcd = cluster.etcd();
  const committed = new Map<number, number>();
  const commits = etcd.watch(commitsInto(committed, (await etcd.range(PODS_KEYS)).revision + 1));
  const delays = async (since: Iterable<[at: number, ms: number]>): Promise<number[]> => {
    watchers.send([...since]);
    const [answer] = (await once(watchers, 'message')) as [number[]];
    return answer;
  };
  const p99: number[] = [];
  const p50: number[] = [];
  const p99SinceSent: number[] = [];
  const delivered: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    watchers.send('reset');
    committed.clear();
    const sent = await changes(connections);
    await sleep(SETTLE_MS);
    const sinceCommit = await delays(committed);
    p99.push(percentile(sinceCommit, 0.99));
    p50.push(percentile(sinceCommit, 0.5));
    p99SinceSent.push(percentile(await delays(sent), 0.99));
    delivered.push(sinceCommit.length);
  }
  commits.cancel();
  await etcd.close();
  watchers.removeAllListeners('exit').kill();
  for (const connection of connections) connection.close();
  return [
    figure(
      'commit to delivery p99, 1,000 watchers, 200 changes/s',
      'ms',
      p99,
      { atMost: 100 },
      {
        p50,
        p99SinceSent,
        delivered,
        expected: (WATCHERS * CHANGES_PER_SECOND * RUN_MS) / 1000,
      },
    ),
  ];
}

/** Notes when etcd tells of each change, by its annotation bench/at. */
function commitsInto(committed: Map<number, number>, startRevision: number): WatchOptions {
  return {
    ...PODS_KEYS,
    startRevision,
    onRevision({ events }) {
      const now = Date.now();
      for (const { kv } of events) {
        const [, at] = MARK.exec(kv.value.toString('latin1')) ?? [];
        if (at) committed.set(Number(at), now);
      }
    },
    onCompacted() {},
    onFailed(error) {
      throw error;
    },
  };
}

/** Spreads the changes evenly; a late tick makes up for what it missed. Returns when each was sent, in ms since the epoch. */
async function changes(connections: RawConnection[]): Promise<Map<number, number>> {
  const started = performance.now();
  const sent = new Map<number, number>();
  const idle = [...connections];
  while (performance.now() - started < RUN_MS) {
    const due = ((performance.now() - started) * CHANGES_PER_SECOND) / 1000;
    const pending: Promise<void>[] = [];
    while (sent.size < due && idle.length > 0) {
      const connection = idle.pop()!;
      const now = Date.now();
      // Unlike any other's, and as long: the time and a number.
      const at = now * 1_000 + (sent.size % 1_000);
      pending.push(change(connection, sent.size % PODS, at).then(() => void idle.push(connection)));
      sent.set(at, now);
    }
    await sleep(TICK_MS / 4);
    await Promise.all(pending);
  }
  return sent;
}

async function change(connection: RawConnection, pod: number, at: number): Promise<void> {
  const patch = { metadata: { annotations: { 'bench/at': String(at) } } };
  const path = `/api/v1/namespaces/default/pods/pod-${pod}`;
  const request = jsonRequest('PATCH', path, patch, 'application/merge-patch+json');
  const { status, body } = await connection.send(request);
  if (status !== 200) throw new Error(`patch answered ${status}: ${body.toString().slice(0, 300)}`);
}
