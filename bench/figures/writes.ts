import { randomUUID } from 'node:crypto';
import { openStore } from '@periplus/store';
import type { TestCluster } from '@periplus/testing';
import { startBareCluster } from '../bare-cluster.ts';
import { type Figure, figure } from '../figure.ts';
import { benchPod } from '../pod.ts';
import { jsonRequest, RawConnection } from '../raw-https.ts';
import { singlePuts } from '../single-puts.ts';
import { perSecond } from '../together.ts';

const RUNS = 5;
const RUN_MS = 3_000;
const CONNECTIONS = 64;
const STORE_LANES = 256;
const WARM_UP_RUNS = 4;

/**
 * Writes over HTTPS and through the store, each against single puts of the same bytes in the same minute. What the other
 * components do about each pod is part of the figures of `scheduling`.
 */
export async function writes(): Promise<Figure[]> {
  await using cluster = await startBareCluster(['controller-manager', 'scheduler', 'node-agent']);
  const value = Buffer.from(JSON.stringify(benchPod('pod-0000000000')));
  const over = { rest: [] as number[], store: [] as number[] };
  const seen = { puts: [] as number[], creates: [] as number[], commits: [] as number[] };
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => RawConnection.open(cluster.admin)));
  // Until the compiler has nothing left to do: the first thousands of creates take twice as long as those behind them.
  for (let turn = 0; turn < WARM_UP_RUNS; turn += 1) await creates(connections, `warm-up-${turn}`);
  for (let run = 0; run < RUNS; run += 1) {
    const puts = await singlePuts(cluster, value, RUN_MS);
    const created = await creates(connections, `run-${run}`);
    const committed = await commits(cluster, value, run);
    seen.puts.push(puts);
    seen.creates.push(created);
    seen.commits.push(committed);
    over.rest.push(created / puts);
    over.store.push(committed / puts);
  }
  for (const connection of connections) connection.close();
  return [
    figure(
      'pod creates over HTTPS / single etcd puts',
      'x',
      over.rest,
      { atLeast: 1 },
      {
        createsPerSecond: seen.creates.map(Math.round),
        putsPerSecond: seen.puts.map(Math.round),
        connections: CONNECTIONS,
        podBytes: value.length,
      },
    ),
    figure(
      'store commits / single etcd puts',
      'x',
      over.store,
      { atLeast: 4 },
      {
        commitsPerSecond: seen.commits.map(Math.round),
        putsPerSecond: seen.puts.map(Math.round),
        concurrent: STORE_LANES,
      },
    ),
  ];
}

function creates(connections: RawConnection[], run: string): Promise<number> {
  return perSecond(connections.length, RUN_MS, async (lane, turn) => {
    const request = jsonRequest('POST', '/api/v1/namespaces/default/pods', benchPod(`${run}-${lane}-${turn}`));
    const { status, body } = await connections[lane]!.send(request);
    if (status !== 201) throw new Error(`create answered ${status}: ${body.toString().slice(0, 300)}`);
  });
}

async function commits(cluster: TestCluster, value: Buffer, run: number): Promise<number> {
  const etcd = cluster.etcd();
  const store = openStore({ etcd, prefix: '/bench-store', cipher: null });
  const object = JSON.parse(value.toString());
  try {
    return await perSecond(STORE_LANES, RUN_MS, async (lane, turn) => {
      const name = `pod-${run}-${lane}-${turn}`;
      await store.commit({
        key: { group: '', resource: 'pods', namespace: 'default', name },
        object: { ...object, metadata: { ...object.metadata, name } },
        confidential: [],
        ifRevision: 0,
        companions: [],
        provenance: { actor: 'bench', verb: 'create', timeMs: Date.now(), requestId: randomUUID(), cause: null },
      });
    });
  } finally {
    await store.close();
    await etcd.close();
  }
}
