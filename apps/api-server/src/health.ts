import type { ClusterCache } from '@periplus/cache';
import { type Check, type Metrics, serveHealth } from '@periplus/component';
import type { GroupCommit } from '@periplus/store';
import type { Config } from './config.ts';

/** How far the cache may be behind etcd before the server calls itself not ready. */
const CATCH_UP_MS_MAX = 2_000;

export interface Checks {
  live: readonly Check[];
  ready: readonly Check[];
}

/** A server that cannot reach etcd is alive, but not ready: restarting it would not help. */
export const checksOf = (cache: ClusterCache): Checks => ({
  live: [{ name: 'ping', run: () => undefined }],
  ready: [
    {
      name: 'etcd',
      run: async () => {
        await cache.current();
      },
    },
    {
      name: 'cache',
      run: async () => {
        await cache.waitFor(await cache.current(), AbortSignal.timeout(CATCH_UP_MS_MAX));
      },
    },
  ],
});

/** What the store has done, as metrics. */
export function observeStore(metrics: Metrics, store: GroupCommit): void {
  const gauges = {
    transactions: 'etcd transactions of the store.',
    writes: 'Writes that etcd has acknowledged.',
    unknownOutcomes: 'Transactions whose outcome had to be looked for.',
    retries: 'Transactions that were sent again.',
  } as const;
  for (const [name, help] of Object.entries(gauges)) {
    const metric = `periplus_store_${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_total`;
    metrics.gauge(metric, help).observe(() => store.stats[name as keyof typeof gauges]);
  }
}

/** The same pages as on the API's port, on plain HTTP, for those who hold no certificate. */
export async function serveLoopback(config: Config, metrics: Metrics, checks: Checks) {
  return config.healthPort === null ? null : serveHealth({ port: config.healthPort, metrics, ...checks });
}
