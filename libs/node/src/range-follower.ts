import type { Logger } from '@periplus/component';
import type { EtcdClient, EtcdError, KeyValue, WatchHandle } from '@periplus/etcd';
import type { KeyRange } from '@periplus/store';

/** Pages of the first listing, so that one answer stays small whatever is there. */
const PAGE_KEYS = 500;
const RETRY_MS_MIN = 200;
const RETRY_MS_MAX = 5_000;

export interface RangeFollowerDeps {
  etcd: EtcdClient;
  range: KeyRange;
  /** What is followed, for messages. */
  what: string;
  /** A key is there, or has changed. Again for each key when the range had to be listed anew. */
  onPut(kv: KeyValue): void;
  /** A key that was told of is gone. */
  onDelete(key: string): void;
  /** Everything that was there has been told of. */
  onListed?(): void;
  log: Logger;
}

/**
 * Follows a range of keys: lists once, then watches from there. When etcd has compacted what was missed, lists again
 * and tells the difference, so nothing is lost.
 */
export class RangeFollower {
  private readonly deps: RangeFollowerDeps;
  private readonly known = new Set<string>();
  private watch: WatchHandle | null = null;
  private timer: NodeJS.Timeout | null = null;
  private retryMs = RETRY_MS_MIN;
  private closed = false;

  constructor(deps: RangeFollowerDeps) {
    this.deps = deps;
  }

  /** Returns at once; keeps trying until it is closed. */
  start(): void {
    void this.list();
  }

  close(): void {
    this.closed = true;
    if (this.timer) clearTimeout(this.timer);
    this.watch?.cancel();
  }

  private async list(): Promise<void> {
    this.timer = null;
    const { etcd, range, what } = this.deps;
    const seen = new Set<string>();
    let revision: number | undefined;
    try {
      for (let key: string | null = range.key; key !== null && !this.closed; ) {
        const page: Awaited<ReturnType<EtcdClient['range']>> = await etcd.range({
          ...{ key, rangeEnd: range.rangeEnd, limit: PAGE_KEYS },
          ...(revision !== undefined && { revision }),
        });
        revision ??= page.revision;
        for (const kv of page.kvs) {
          seen.add(kv.key);
          this.put(kv);
        }
        // The first key behind the last one.
        key = page.more && page.kvs.length > 0 ? `${page.kvs.at(-1)!.key}\0` : null;
      }
    } catch (error) {
      return this.again(`could not list ${what}`, error as Error);
    }
    if (this.closed || revision === undefined) return;
    for (const key of [...this.known]) if (!seen.has(key)) this.remove(key);
    this.retryMs = RETRY_MS_MIN;
    this.follow(revision + 1);
    this.deps.onListed?.();
  }

  private follow(startRevision: number): void {
    const { etcd, range, what } = this.deps;
    this.watch = etcd.watch({
      ...range,
      startRevision,
      onRevision: ({ events }) => {
        for (const { type, kv } of events) {
          if (type === 'put') this.put(kv);
          else this.remove(kv.key);
        }
      },
      onCompacted: () => void this.list(),
      onFailed: (error: EtcdError) => this.again(`the watch of ${what} was ended`, error),
    });
  }

  private again(what: string, error: Error): void {
    if (this.closed) return;
    this.deps.log.warn({ error: error.message, retryMs: this.retryMs }, what);
    this.timer = setTimeout(() => void this.list(), this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, RETRY_MS_MAX);
  }

  private put(kv: KeyValue): void {
    this.known.add(kv.key);
    this.deps.onPut(kv);
  }

  private remove(key: string): void {
    if (this.known.delete(key)) this.deps.onDelete(key);
  }
}
