import { setTimeout as pause } from 'node:timers/promises';
import { type EtcdClient, EtcdError, type KeyValue, type RevisionBatch, type WatchHandle } from '@periplus/etcd';
import type { KeyRange } from '@periplus/store';
import type { CacheLog } from './types.ts';

const PAGE_LIMIT = 1_000;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5_000;

/** Who keeps a copy of a range of etcd's keys. */
export interface Follower {
  /** A list begins; one that was not finished before counts for nothing. */
  list(): {
    page(kvs: readonly KeyValue[]): void;
    /** The pages were everything at `revision`. */
    finish(revision: number): void;
  };
  apply(batch: RevisionBatch): void;
  /** Everything up to `revision` was applied. */
  progressed(revision: number): void;
}

interface FollowOptions {
  etcd: EtcdClient;
  range: KeyRange;
  signal: AbortSignal;
  log: CacheLog;
}

/**
 * Lists `range`, then applies its changes until `signal` aborts; lists again where the changes are gone. Resolves
 * once the first list is complete. Outages are waited out; rejects only when etcd refuses, or `signal` aborts, first.
 */
export async function follow(follower: Follower, options: FollowOptions): Promise<void> {
  const revision = await list(follower, options, isPassing);
  watch(follower, options, revision);
}

/** What time may heal: an etcd that is away, or a list that took longer than etcd keeps its revision. */
const isPassing = (error: unknown): boolean =>
  error instanceof EtcdError &&
  (error.outcome === 'unknown' || error.reason === 'Unavailable' || error.reason === 'Compacted');

async function list(
  follower: Follower,
  { etcd, range, signal, log }: FollowOptions,
  retries: (error: unknown) => boolean,
): Promise<number> {
  for (let delayMs = RETRY_MS_MIN; ; delayMs = Math.min(2 * delayMs, RETRY_MS_MAX)) {
    signal.throwIfAborted();
    try {
      return await listOnce(follower, etcd, range, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!retries(error)) throw error;
      log.warn({ key: range.key, error }, 'etcd could not be listed, trying again');
    }
    await pause(delayMs, undefined, { signal });
  }
}

/** In pages, all of them at the revision of the first. */
async function listOnce(follower: Follower, etcd: EtcdClient, range: KeyRange, signal: AbortSignal): Promise<number> {
  const listing = follower.list();
  let revision: number | undefined;
  let key = range.key;
  for (;;) {
    const page = await untilAborted(etcd.range({ key, rangeEnd: range.rangeEnd, limit: PAGE_LIMIT, revision }), signal);
    revision ??= page.revision;
    listing.page(page.kvs);
    if (!page.more) break;
    key = `${page.kvs.at(-1)!.key}\0`;
  }
  listing.finish(revision);
  return revision;
}

/** An etcd that is away lets a call wait for seconds: whoever stops does not. */
function untilAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function watch(follower: Follower, options: FollowOptions, revision: number): void {
  const { etcd, range, signal, log } = options;
  if (signal.aborted) return;
  const again = (): void => {
    signal.removeEventListener('abort', cancel);
    list(follower, options, () => true).then(
      (listed) => watch(follower, options, listed),
      (error: unknown) => {
        if (!signal.aborted) throw error;
      },
    );
  };
  const handle: WatchHandle = etcd.watch({
    ...range,
    startRevision: revision + 1,
    onRevision: (batch) => follower.apply(batch),
    onProgress: (reached) => follower.progressed(reached),
    onCompacted(compactRevision) {
      log.warn({ key: range.key, compactRevision }, 'etcd has compacted what was not yet read, listing again');
      again();
    },
    onFailed(error) {
      log.error({ key: range.key, error }, 'the watch was refused, listing again');
      setTimeout(again, RETRY_MS_MAX);
    },
  });
  const cancel = (): void => handle.cancel();
  signal.addEventListener('abort', cancel, { once: true });
}
