import { setTimeout as pause } from 'node:timers/promises';
import type { ResourceKey } from '@periplus/apimachinery';
import type { EtcdClient, RevisionBatch } from '@periplus/etcd';
import { type Cipher, Keys } from '@periplus/store';
import type { ObjectChange } from './cached-object.ts';
import { endOf, type Version, type WindowLimits } from './change-window.ts';
import { ClusterState } from './cluster-state.ts';
import { ClusterView } from './cluster-view.ts';
import { type Follower, follow } from './follow.ts';
import { Liveness, type LivenessListener } from './liveness.ts';
import { type Newest, NewestRevision, Waiters } from './revision-barrier.ts';
import type { CacheLog, Change, Entry, Index, ResourceId, View } from './types.ts';

const WINDOW: WindowLimits = { changes: 10_000, bytes: 16 << 20 };
/** How long `waitFor` trusts that the watch will bring the revision before it asks whether there is anything to bring. */
const PATIENCE_MS = 25;
const RETRY_MS = 250;

export interface CacheDeps {
  etcd: EtcdClient;
  /** Of all keys: `/periplus`. */
  prefix: string;
  /** null leaves confidential members out. */
  cipher: Cipher | null;
  /** Leaves metadata.managedFields out, which only those need who answer clients. */
  withoutManagers?: boolean;
  indexes?: readonly Index[];
  /** Follows the liveness of nodes too. */
  liveness?: boolean;
  /** Keeps the objects of these resources only. */
  only?: (resource: ResourceId) => boolean;
  /** How far back watches may start. */
  window?: WindowLimits;
  log: CacheLog;
}

export interface ListRange {
  /** Only objects behind this `[<namespace>/]<name>`. */
  after?: string;
  limit?: number;
}

export type ChangeListener = (revision: number, changes: readonly Change[]) => void;

/**
 * All objects of the cluster at one revision, fed by one etcd watch. Whole revisions become visible at once; between
 * them nothing changes. Entries are immutable, so arrays of them are snapshots.
 */
export class ClusterCache {
  readonly #deps: CacheDeps;
  readonly #state: ClusterState;
  readonly #liveness: Liveness | null;
  readonly #waiters = new Waiters();
  readonly #newest: NewestRevision;
  readonly #listeners = new Set<ChangeListener>();
  /** The newest that was read of etcd: once the cache is at its logRevision, it is at its revision too. */
  #known: Newest = { revision: 0, logRevision: 0 };
  #asking = false;

  constructor(deps: CacheDeps) {
    const { etcd, prefix, cipher, withoutManagers, indexes = [], only = () => true, window = WINDOW, log } = deps;
    const keys = new Keys(prefix);
    this.#deps = deps;
    this.#state = new ClusterState({ keys, cipher, withoutManagers, indexes, only, window, log });
    this.#liveness = deps.liveness ? new Liveness(keys) : null;
    this.#newest = new NewestRevision(etcd, keys.revision);
  }

  /**
   * Resolves when everything was listed and is being watched, which goes on until `signal` aborts. Waits for an etcd
   * that is away; rejects with EtcdError when etcd refuses.
   */
  async start(signal: AbortSignal): Promise<void> {
    const { etcd, log } = this.#deps;
    const { keys } = this.#state;
    signal.addEventListener('abort', () => this.#waiters.end(signal.reason), { once: true });
    const follower: Follower = {
      list: () => this.#list(),
      apply: (batch) => this.#apply(batch),
      progressed: (revision) => this.#advance(revision),
    };
    await Promise.all([
      follow(follower, { etcd, range: keys.log, signal, log }),
      this.#liveness && follow(this.#liveness, { etcd, range: keys.livenessRange(), signal, log }),
    ]);
  }

  /** Everything up to here is in. */
  get revision(): number {
    return this.#state.revision;
  }

  /** Resolves when everything up to `revision` is in. Rejects when `signal` aborts or the cache stops. */
  waitFor(revision: number, signal?: AbortSignal): Promise<void> {
    if (revision <= this.revision) return Promise.resolve();
    const waiting = this.#waiters.wait(revision, signal);
    void this.#askWhileSomebodyWaits();
    return waiting;
  }

  /**
   * etcd's revision now: whoever asked for it and then waits for it sees everything that was acknowledged before.
   * One read of etcd is shared by all who ask at the same moment. Rejects with EtcdError.
   */
  async current(): Promise<number> {
    const newest = await this.#newest.read();
    this.#learn(newest);
    return newest.revision;
  }

  get(key: ResourceKey): Entry | undefined {
    return this.#state.get(key);
  }

  /** In the order of `<namespace>/<name>`, all namespaces when `namespace` is absent or ''. The array is the caller's. */
  list(of: ResourceId, namespace?: string, range: ListRange = {}): Entry[] {
    return this.#state.table(of)?.objects.list(namespace, range.after, range.limit) ?? [];
  }

  count(of: ResourceId, namespace?: string): number {
    return this.#state.table(of)?.objects.countIn(namespace) ?? 0;
  }

  /** The resources of which there are objects, or were. */
  *resources(): Iterable<ResourceId> {
    for (const { group, resource } of this.#state.tables) yield { group, resource };
  }

  /** Good for one synchronous piece of work: it looks at the cache as it is at each moment. */
  view(nowMs: number): View {
    return new ClusterView(this.#state, this.#liveness, nowMs);
  }

  /**
   * Calls back after each revision that changed something, in order, once it is visible; must not throw. After a list
   * that was needed because etcd had compacted, the changes are those between what was known and the list: several
   * changes of one object have become one.
   */
  subscribe(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls back when a node's liveness key comes or goes, once `alive` shows it. */
  subscribeLiveness(listener: LivenessListener): () => void {
    if (this.#liveness === null) throw new Error('this cache does not follow the liveness of nodes');
    return this.#liveness.subscribe(listener);
  }

  /**
   * What has happened to a resource behind `since`, in order; undefined when that reaches further back than is
   * remembered (410 Gone). With `subscribe` in the same synchronous piece of work, nothing is missed or seen twice.
   */
  changesSince(of: ResourceId, since: Version): Change[] | undefined {
    const window = this.#state.table(of)?.window;
    if (window !== undefined) return window.since(since);
    return since.revision < this.#state.listedRevision ? undefined : [];
  }

  /** Behind this version, all changes of the resource are remembered. */
  oldest(of: ResourceId): Version {
    return this.#state.table(of)?.window.start ?? endOf(this.#state.listedRevision);
  }

  #list(): ReturnType<Follower['list']> {
    const listing = this.#state.list();
    return {
      page: (kvs) => listing.page(kvs),
      finish: (revision) => {
        const changes = listing.finish(revision);
        this.#deps.log.info({ revision, changes: changes.length }, 'listed the cluster');
        this.#changed(changes);
      },
    };
  }

  #apply(batch: RevisionBatch): void {
    this.#changed(this.#state.apply(batch));
  }

  #changed(changes: readonly ObjectChange[]): void {
    if (changes.length > 0) for (const listener of this.#listeners) listener(this.revision, changes);
    // The window remembers them for long, and few ask what they were.
    for (const { previous } of changes) previous?.forget();
    this.#advance(this.revision);
  }

  #learn(newest: Newest): void {
    if (newest.revision > this.#known.revision) this.#known = newest;
    this.#advance(this.revision);
  }

  #advance(reached: number): void {
    const state = this.#state;
    const { revision, logRevision } = this.#known;
    const isListed = state.listedRevision > 0;
    state.revision = Math.max(state.revision, reached, isListed && reached >= logRevision ? revision : 0);
    this.#waiters.reached(state.revision);
  }

  /** The watch says nothing about revisions that changed nothing of the log, so those who wait for one ask etcd. */
  async #askWhileSomebodyWaits(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    for (let delayMs = PATIENCE_MS; ; delayMs = RETRY_MS) {
      await pause(delayMs);
      if (this.#waiters.size === 0) break;
      await this.current().catch((error: unknown) => {
        this.#deps.log.warn({ error }, 'etcd does not say its revision');
      });
    }
    this.#asking = false;
  }
}
