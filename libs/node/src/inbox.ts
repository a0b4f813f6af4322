import type { Logger } from '@periplus/component';
import type { EtcdClient, EtcdError, KeyValue, RevisionBatch, WatchHandle } from '@periplus/etcd';
import { decodeInboxRecord, type Keys } from '@periplus/store';
import type { Pod } from './pod/pod-types.ts';

/** Pages of the first listing, so that one answer stays small whatever is on the node. */
const PAGE_KEYS = 500;
const RETRY_MS_MIN = 200;
const RETRY_MS_MAX = 5_000;

interface InboxListener {
  /** A pod is there, or has changed. */
  onPod(node: string, pod: Pod): void;
  /** A pod is gone, or its place is taken by a namesake, which follows. */
  onGone(node: string, uid: string): void;
  /** Everything that was there has been told of. Again after the inbox had to be listed anew. */
  onListed(): void;
}

export interface InboxDeps {
  etcd: EtcdClient;
  keys: Keys;
  /** Absent: the inboxes of all nodes. */
  node?: string;
  listener: InboxListener;
  log: Logger;
}

/**
 * Follows the pods that are bound to a node: lists once, then watches from there. When etcd has compacted what
 * was missed, lists again and tells the difference, so nothing is lost.
 */
export class Inbox {
  private readonly deps: InboxDeps;
  /** Etcd key to the pod that was told of. */
  private readonly known = new Map<string, { node: string; uid: string }>();
  private watch: WatchHandle | null = null;
  private timer: NodeJS.Timeout | null = null;
  private retryMs = RETRY_MS_MIN;
  private closed = false;

  constructor(deps: InboxDeps) {
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
    const { etcd, keys, node, listener } = this.deps;
    const { key: first, rangeEnd } = keys.inboxRange(node);
    const seen = new Set<string>();
    let revision: number | undefined;
    try {
      for (let key: string | null = first; key !== null && !this.closed; ) {
        const page: Awaited<ReturnType<EtcdClient['range']>> = await etcd.range({
          ...{ key, rangeEnd, limit: PAGE_KEYS },
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
      return this.again('could not list the inbox', error as Error);
    }
    if (this.closed || revision === undefined) return;
    for (const key of [...this.known.keys()]) if (!seen.has(key)) this.remove(key);
    this.retryMs = RETRY_MS_MIN;
    this.follow(revision + 1);
    listener.onListed();
  }

  private follow(startRevision: number): void {
    const { etcd, keys, node } = this.deps;
    this.watch = etcd.watch({
      ...keys.inboxRange(node),
      startRevision,
      onRevision: (batch) => this.apply(batch),
      onCompacted: () => void this.list(),
      onFailed: (error: EtcdError) => this.again('the watch of the inbox was ended', error),
    });
  }

  private again(what: string, error: Error): void {
    if (this.closed) return;
    this.deps.log.warn({ error: error.message, retryMs: this.retryMs }, what);
    this.timer = setTimeout(() => void this.list(), this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, RETRY_MS_MAX);
  }

  private apply({ events }: RevisionBatch): void {
    for (const { type, kv } of events) {
      if (type === 'put') this.put(kv);
      else this.remove(kv.key);
    }
  }

  private put(kv: KeyValue): void {
    const { keys, listener, log } = this.deps;
    const path = keys.parseInbox(kv.key);
    if (!path) return;
    let pod: Pod;
    try {
      pod = JSON.parse(decodeInboxRecord(kv, keys).bytes.toString()) as Pod;
    } catch (error) {
      log.error({ etcdKey: kv.key, error: (error as Error).message }, 'a record in the inbox can not be read');
      return;
    }
    const { uid } = pod.metadata;
    const before = this.known.get(kv.key);
    if (before && before.uid !== uid) listener.onGone(before.node, before.uid);
    this.known.set(kv.key, { node: path.node, uid });
    listener.onPod(path.node, pod);
  }

  private remove(key: string): void {
    const before = this.known.get(key);
    if (!before) return;
    this.known.delete(key);
    this.deps.listener.onGone(before.node, before.uid);
  }
}
