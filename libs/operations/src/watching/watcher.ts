import { expired, type StatusError, versionOfRevision, versionOfWrite } from '@periplus/apimachinery';
import { type Change, type Entry, endOf, type Version } from '@periplus/cache';
import { type CacheReader, resourceOf } from '../cluster-state.ts';
import type { Watch, WatchEvent, WatchSink } from '../types.ts';
import { Chunk } from './chunk.ts';
import { addedEvent, bookmark, eventOf, transition } from './transition.ts';
import type { Delivery, LiveWatcher, WatchGroup, WatchSubject } from './watch-group.ts';

/** What may wait in a connection before its watch falls behind. Above what streams hold, so that they say when it is gone. */
const BACKLOG_BYTES_MAX = 256 * 1024;
/** A watch that catches up is fed in pieces of this size. */
const CATCH_UP_BYTES = 64 * 1024;
/** A client that takes nothing for so long is cut off. */
const STANDSTILL_MS_MAX = 30_000;

/** What a watch begins with. */
export interface WatchStart {
  readonly position: Version;
  /** Objects that are sent as ADDED first; empty for a watch from a version. */
  readonly initial: readonly Entry[];
  /** Whether a bookmark says that these were all. */
  readonly marksEnd: boolean;
}

export interface WatcherDeps {
  cache: CacheReader;
  /** Puts the watcher among those that are delivered to; everything up to the cache's revision has been sent. */
  join(watcher: Watcher): WatchGroup;
  /** Calls `catchUp` of the watcher once the cache has reached a revision that it has not reached yet. */
  awaitRevision(watcher: Watcher, revision: number): void;
  /** Called once, when it is over. */
  ended(watcher: Watcher): void;
}

/**
 * One watch. It is live in a group, or behind: then it sends itself what it has missed from the window of recent
 * changes, as fast as the client takes it, and joins when nothing is left.
 */
export class Watcher implements Watch, LiveWatcher {
  readonly subject: WatchSubject;
  private readonly sink: WatchSink;
  private readonly deps: WatcherDeps;
  private group: WatchGroup | null = null;
  private position: Version;
  private readonly initial: readonly Entry[];
  private initialAt = 0;
  private marksEnd: boolean;
  private missed: readonly Change[] = [];
  private missedAt = 0;
  private sentAny = false;
  private closed = false;
  private standstill: NodeJS.Timeout | undefined;
  private timeout: NodeJS.Timeout | undefined;

  constructor(subject: WatchSubject, start: WatchStart, sink: WatchSink, deps: WatcherDeps) {
    this.subject = subject;
    this.sink = sink;
    this.deps = deps;
    this.position = start.position;
    this.initial = start.initial;
    this.marksEnd = start.marksEnd;
  }

  begin(timeoutMs: number): void {
    if (this.closed) return;
    this.timeout = setTimeout(() => this.timeIsUp(), timeoutMs).unref();
    this.catchUp();
  }

  deliver({ from, to, chunk, first }: Delivery): void {
    if (this.sink.backlogBytes() > BACKLOG_BYTES_MAX) {
      // Nothing is kept for it: the window of recent changes has what it misses.
      this.position = from;
      this.leaveGroup();
      this.awaitClient();
      return;
    }
    this.sink.write(this.sentAny || first === null ? chunk : new Chunk([first(), ...chunk.frames.slice(1)]));
    this.sentAny = true;
    this.position = to;
  }

  drained(): void {
    if (!this.closed && this.group === null) this.catchUp();
  }

  stop(): void {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.timeout);
    clearTimeout(this.standstill);
    this.leaveGroup();
    this.deps.ended(this);
  }

  end(error: StatusError | null): void {
    if (this.closed) return;
    this.stop();
    this.sink.end(error);
  }

  private timeIsUp(): void {
    if (this.subject.bookmarks && this.group !== null && !this.group.hasNews) {
      this.send([bookmark(this.subject.kind, versionOfRevision(this.deps.cache.revision), false)]);
    }
    this.end(null);
  }

  private leaveGroup(): void {
    this.group?.members.delete(this);
    this.group = null;
  }

  /** Sends pieces until the client is busy, or nothing is left and the watch is live. */
  catchUp(): void {
    clearTimeout(this.standstill);
    while (!this.closed) {
      if (this.sink.backlogBytes() > BACKLOG_BYTES_MAX) {
        this.awaitClient();
        return;
      }
      const events = this.nextPiece();
      if (events === undefined) return;
      if (events.length > 0) this.send(events);
    }
  }

  private awaitClient(): void {
    clearTimeout(this.standstill);
    this.standstill = setTimeout(() => {
      if (this.sink.backlogBytes() > BACKLOG_BYTES_MAX) this.end(null);
      else this.catchUp();
    }, STANDSTILL_MS_MAX).unref();
  }

  /** What comes next; undefined when the watch has become live, waits for its version, or has ended. */
  private nextPiece(): WatchEvent[] | undefined {
    if (this.initialAt < this.initial.length) return this.nextInitial();
    if (this.marksEnd) {
      this.marksEnd = false;
      const { revision } = this.position;
      return [bookmark(this.subject.kind, versionOfRevision(revision), true)];
    }
    if (this.missedAt < this.missed.length) return this.nextMissed();
    const { cache } = this.deps;
    if (this.position.revision > cache.revision) {
      this.deps.awaitRevision(this, this.position.revision);
      return undefined;
    }
    const missed = cache.changesSince(resourceOf(this.subject.kind), this.position);
    if (missed === undefined) {
      this.end(tooOld(this.position, cache.oldest(resourceOf(this.subject.kind))));
      return undefined;
    }
    this.missed = missed;
    this.missedAt = 0;
    if (missed.length > 0) return this.nextMissed();
    this.position = endOf(cache.revision);
    this.group = this.deps.join(this);
    return undefined;
  }

  private nextInitial(): WatchEvent[] {
    const events: WatchEvent[] = [];
    const { kind } = this.subject;
    for (let bytes = 0; bytes < CATCH_UP_BYTES && this.initialAt < this.initial.length; this.initialAt++) {
      const entry = this.initial[this.initialAt]!;
      events.push(addedEvent(entry, kind));
      bytes += entry.bytes.length;
    }
    return events;
  }

  private nextMissed(): WatchEvent[] {
    const events: WatchEvent[] = [];
    const { kind, namespace, selection } = this.subject;
    for (let bytes = 0; bytes < CATCH_UP_BYTES && this.missedAt < this.missed.length; this.missedAt++) {
      const change = this.missed[this.missedAt]!;
      const { revision, index } = change.entry;
      this.position = { revision, index };
      if (namespace !== '' && change.entry.key.namespace !== namespace) continue;
      const type = transition(selection, kind, change);
      if (type === undefined) continue;
      events.push(eventOf(type, kind, change));
      bytes += change.entry.bytes.length;
    }
    return events;
  }

  private send(events: readonly WatchEvent[]): void {
    const { encoding } = this.subject;
    const frames = events.map((event) =>
      !this.sentAny && event === events[0] && encoding.encodeFirst
        ? encoding.encodeFirst(event)
        : encoding.encode(event),
    );
    this.sentAny = true;
    this.sink.write(new Chunk(frames));
  }
}

/** 410: the window of recent changes does not reach back to where the watch stands. */
const tooOld = (asked: Version, oldest: Version): StatusError =>
  expired(`too old resource version: ${shown(asked)} (${shown(oldest)})`);

const shown = ({ revision, index }: Version): string =>
  Number.isFinite(index) ? versionOfWrite(revision, index) : versionOfRevision(revision);
