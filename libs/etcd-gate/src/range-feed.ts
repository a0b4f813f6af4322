import type { EtcdClient, EtcdError, WatchHandle } from '@periplus/etcd';
import type { KeyRange } from '@periplus/store';
import { type EncodedBatch, encodeBatch } from './wire.ts';

/** What a feed keeps for watchers that start a little behind it. */
const WINDOW_BATCHES_MAX = 4_096;
const WINDOW_BYTES_MAX = 4 << 20;

/** Somebody who watches the range. Each revision comes once and in order, until `compacted` or `failed`. */
export interface Subscriber {
  deliver(batch: EncodedBatch): void;
  /** Everything up to `revision` has been delivered. */
  progressed(revision: number): void;
  compacted(compactRevision: number): void;
  failed(error: EtcdError): void;
}

export interface Subscription {
  /** Everything before this has been delivered. */
  readonly next: number;
  /** Asks etcd how far it is; answered through `progressed`, if there is news. */
  requestProgress(): void;
  /** Delivers nothing until `resume`, which goes on where it was. A new subscription is paused. */
  pause(): void;
  resume(): void;
  leave(): void;
}

interface Member extends Subscription {
  readonly subscriber: Subscriber;
  next: number;
  paused: boolean;
  gone: boolean;
  /** Its own watch while it catches up. */
  own: WatchHandle | null;
}

/**
 * One range of etcd's keys for all who watch it: one upstream watch, and for each who starts before what the feed still
 * has, one more until it has caught up.
 */
export class RangeFeed {
  readonly #etcd: EtcdClient;
  readonly #range: KeyRange;
  readonly #onIdle: () => void;
  /** Those who have caught up. */
  readonly #members = new Set<Member>();
  /** What came since `#from`, all of it. */
  #window: EncodedBatch[] = [];
  #windowBytes = 0;
  #from = 0;
  #next = 0;
  #upstream: WatchHandle | null = null;
  /** How many have joined and not left, those who catch up among them. */
  #joined = 0;

  /** `onIdle` is called when the last one has left. */
  constructor(etcd: EtcdClient, range: KeyRange, onIdle: () => void) {
    this.#etcd = etcd;
    this.#range = range;
    this.#onIdle = onIdle;
  }

  join(subscriber: Subscriber, startRevision: number): Subscription {
    const member: Member = {
      subscriber,
      next: startRevision,
      paused: true,
      gone: false,
      own: null,
      requestProgress: () => (member.own ?? this.#upstream)?.requestProgress(),
      pause: () => this.#pause(member),
      resume: () => this.#resume(member),
      leave: () => this.#leave(member),
    };
    this.#joined++;
    return member;
  }

  #pause(member: Member): void {
    member.paused = true;
    member.own?.cancel();
    member.own = null;
    this.#members.delete(member);
  }

  #resume(member: Member): void {
    if (!member.paused || member.gone) return;
    member.paused = false;
    this.#enter(member);
  }

  #enter(member: Member): void {
    if (this.#upstream === null) this.#open(member.next);
    if (member.next < this.#from) {
      this.#catchUp(member);
      return;
    }
    this.#members.add(member);
    for (const batch of this.#window) {
      if (member.paused || member.gone) break;
      deliver(member, batch);
    }
  }

  #leave(member: Member): void {
    if (member.gone) return;
    this.#pause(member);
    member.gone = true;
    if (--this.#joined > 0) return;
    this.#close();
    this.#onIdle();
  }

  #open(startRevision: number): void {
    this.#from = startRevision;
    this.#next = startRevision;
    this.#upstream = this.#etcd.watch({
      ...this.#range,
      startRevision,
      onRevision: (batch) => this.#receive(encodeBatch(batch)),
      onProgress: (revision) => {
        this.#next = Math.max(this.#next, revision + 1);
        for (const member of this.#members) progressed(member, revision);
      },
      onCompacted: (revision) => this.#end((subscriber) => subscriber.compacted(revision)),
      onFailed: (error) => this.#end((subscriber) => subscriber.failed(error)),
    });
  }

  #receive(batch: EncodedBatch): void {
    this.#next = batch.revision + 1;
    this.#window.push(batch);
    this.#windowBytes += batch.events.length;
    while (this.#window.length > WINDOW_BATCHES_MAX || this.#windowBytes > WINDOW_BYTES_MAX) {
      const oldest = this.#window.shift()!;
      this.#windowBytes -= oldest.events.length;
      this.#from = oldest.revision + 1;
    }
    for (const member of this.#members) deliver(member, batch);
  }

  /** By a watch of its own until it meets the window. */
  #catchUp(member: Member): void {
    const { subscriber } = member;
    /** True when everything from `revision` on is in the window. */
    const metAt = (revision: number): boolean => {
      if (this.#upstream !== null && revision < this.#from) return false;
      member.own?.cancel();
      member.own = null;
      this.#enter(member);
      return true;
    };
    member.own = this.#etcd.watch({
      ...this.#range,
      startRevision: member.next,
      onRevision: (batch) => {
        if (!metAt(batch.revision)) deliver(member, encodeBatch(batch));
      },
      onProgress: (revision) => {
        progressed(member, revision);
        metAt(revision + 1);
      },
      onCompacted: (revision) => {
        this.#leave(member);
        subscriber.compacted(revision);
      },
      onFailed: (error) => {
        this.#leave(member);
        subscriber.failed(error);
      },
    });
  }

  /** The upstream watch is over for good. */
  #end(tell: (subscriber: Subscriber) => void): void {
    const members = [...this.#members];
    this.#close();
    for (const member of members) this.#leave(member);
    for (const { subscriber } of members) tell(subscriber);
  }

  #close(): void {
    this.#upstream?.cancel();
    this.#upstream = null;
    this.#window = [];
    this.#windowBytes = 0;
  }
}

function deliver(member: Member, batch: EncodedBatch): void {
  if (batch.revision < member.next) return;
  member.next = batch.revision + 1;
  member.subscriber.deliver(batch);
}

function progressed(member: Member, revision: number): void {
  if (revision < member.next) return;
  member.next = revision + 1;
  member.subscriber.progressed(revision);
}
