import type { GroupResource } from '@periplus/apimachinery';
import type { Change } from '@periplus/cache';
import { type CacheReader, resourceOf } from '../cluster-state.ts';
import type { Watch, WatchSink } from '../types.ts';
import { type SharedFrames, subjectId, WatchGroup, type WatchSubject } from './watch-group.ts';
import { Watcher, type WatchStart } from './watcher.ts';

/** As kube-apiserver: often enough that a watch which starts over seldom finds its version gone. */
const BOOKMARK_INTERVAL_MS = 60_000;
/** An event is to be with its last watcher by then: it waits at most for one delivery, a rest, and its own delivery. */
const LATENCY_MS = 30;
/**
 * The rest between two deliveries, in relation to the one before: as much as the latency leaves room for. With 1,000
 * watchers longer rests were measured to delay more than they spare.
 */
const REST_SHARE_MIN = 0.2;
const REST_SHARE_MAX = 1.5;

/**
 * How long to rest after a delivery that took `flushMs`. The longer the rest, the more events share a write, and the
 * less of the processor deliveries take.
 */
export const restAfter = (flushMs: number): number =>
  Math.min(REST_SHARE_MAX * flushMs, Math.max(REST_SHARE_MIN * flushMs, LATENCY_MS - 2 * flushMs));

type Groups = Map<string, WatchGroup>;

const idOf = ({ group, resource }: GroupResource): string => `${group}/${resource}`;

/**
 * Delivers changes to all watches. Each is encoded once per encoding; watches of one subject get the same chunk, one
 * write each. When delivering is quick, changes go out in the turn in which they came; when many watch, it is the cost
 * of a delivery that sets the pace of the next, so that deliveries take a bounded share of the processor.
 */
export class WatchFanOut {
  private readonly cache: CacheReader;
  /** Groups by resource, and by namespace within it. */
  private readonly resources = new Map<string, Map<string, Groups>>();
  private readonly watchers = new Set<Watcher>();
  /** Watches from a version to come, with its revision. */
  private readonly ahead = new Map<Watcher, number>();
  private readonly unsubscribe: () => void;
  private readonly bookmarks: NodeJS.Timeout;
  private readonly news = new Set<WatchGroup>();
  private isScheduled = false;
  private nextFlushAt = 0;

  constructor(cache: CacheReader) {
    this.cache = cache;
    this.unsubscribe = cache.subscribe((_, changes) => this.take(changes));
    this.bookmarks = setInterval(() => this.addBookmarks(), BOOKMARK_INTERVAL_MS).unref();
  }

  get watchCount(): number {
    return this.watchers.size;
  }

  open(subject: WatchSubject, start: WatchStart, sink: WatchSink, timeoutMs: number): Watch {
    const watcher = new Watcher(subject, start, sink, {
      cache: this.cache,
      join: (joining) => this.join(joining),
      awaitRevision: (waiting, revision) => this.ahead.set(waiting, revision),
      ended: (gone) => this.ended(gone),
    });
    this.watchers.add(watcher);
    // In the next turn: the adapter first learns that the watch stands.
    setImmediate(() => watcher.begin(timeoutMs));
    return watcher;
  }

  close(): void {
    clearInterval(this.bookmarks);
    this.unsubscribe();
    for (const watcher of [...this.watchers]) watcher.end(null);
  }

  private join(watcher: Watcher): WatchGroup {
    const { subject } = watcher;
    const group = this.groupOf(subject);
    // What waits there has been sent to this one already.
    group.flush(this.cache.revision);
    group.members.add(watcher);
    return group;
  }

  private groupOf(subject: WatchSubject): WatchGroup {
    const resource = idOf(resourceOf(subject.kind));
    const namespaces = this.resources.get(resource) ?? new Map<string, Groups>();
    this.resources.set(resource, namespaces);
    const groups = namespaces.get(subject.namespace) ?? new Map<string, WatchGroup>();
    namespaces.set(subject.namespace, groups);
    const id = subjectId(subject);
    const group = groups.get(id) ?? new WatchGroup(subject);
    groups.set(id, group);
    return group;
  }

  private ended(watcher: Watcher): void {
    this.watchers.delete(watcher);
    this.ahead.delete(watcher);
    const { subject } = watcher;
    const namespaces = this.resources.get(idOf(resourceOf(subject.kind)));
    const groups = namespaces?.get(subject.namespace);
    const id = subjectId(subject);
    const group = groups?.get(id);
    if (!group || group.members.size > 0) return;
    groups!.delete(id);
    this.news.delete(group);
    if (groups!.size === 0) namespaces!.delete(subject.namespace);
  }

  private take(changes: readonly Change[]): void {
    for (const change of changes) {
      const { key } = change.entry;
      const namespaces = this.resources.get(idOf(key));
      if (!namespaces || namespaces.size === 0) continue;
      const shared: SharedFrames = new Map();
      this.offer(namespaces.get(''), change, shared);
      if (key.namespace !== '') this.offer(namespaces.get(key.namespace), change, shared);
    }
    if (this.news.size > 0) this.schedule();
    if (this.ahead.size > 0) this.beginReached();
  }

  private beginReached(): void {
    for (const [watcher, revision] of this.ahead) {
      if (revision > this.cache.revision) continue;
      this.ahead.delete(watcher);
      watcher.catchUp();
    }
  }

  private offer(groups: Groups | undefined, change: Change, shared: SharedFrames): void {
    if (!groups) return;
    for (const group of groups.values()) {
      if (group.members.size === 0) continue;
      group.take(change, shared);
      if (group.hasNews) this.news.add(group);
    }
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    const waitMs = this.nextFlushAt - performance.now();
    if (waitMs > 1) setTimeout(() => this.flush(), waitMs);
    else setImmediate(() => this.flush());
  }

  private flush(): void {
    this.isScheduled = false;
    const startedAt = performance.now();
    for (const group of this.news) group.flush(this.cache.revision);
    this.news.clear();
    const endedAt = performance.now();
    this.nextFlushAt = endedAt + restAfter(endedAt - startedAt);
  }

  private addBookmarks(): void {
    for (const namespaces of this.resources.values()) {
      for (const groups of namespaces.values()) {
        for (const group of groups.values()) {
          group.addBookmark(this.cache.revision);
          if (group.hasNews) this.news.add(group);
        }
      }
    }
    if (this.news.size > 0) this.schedule();
  }
}
