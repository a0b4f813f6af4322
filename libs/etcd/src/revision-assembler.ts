import type { RevisionBatch, WatchEvent } from './types.ts';

/**
 * Puts the events of one watch together into whole revisions, and knows where to resume. etcd never splits a revision
 * over responses, but may split a response into fragments anywhere; so a revision is whole when an event of a later one
 * arrives or when a response ends. Holds at most one revision, which etcd limits by its transaction limits.
 * https://etcd.io/docs/v3.6/learning/api_guarantees/#watch-apis
 */
export class RevisionAssembler {
  /** The first revision not yet delivered whole: where a new watch has to start. */
  next: number;
  #revision = 0;
  #events: WatchEvent[] = [];

  constructor(startRevision: number) {
    this.next = startRevision;
  }

  /** A part of a revision has arrived, and the rest has not. */
  get unfinished(): boolean {
    return this.#events.length > 0;
  }

  /** Takes the events of one response or fragment and hands out the revisions that they complete. Drops what was delivered before. */
  take(events: readonly WatchEvent[], moreFollows: boolean, deliver: (batch: RevisionBatch) => void): void {
    for (const event of events) {
      const revision = event.kv.modRevision;
      if (revision < this.next) continue;
      if (revision !== this.#revision) {
        this.#deliver(deliver);
        this.#revision = revision;
      }
      this.#events.push(event);
    }
    if (!moreFollows) this.#deliver(deliver);
  }

  /** Nothing is to come up to and including `revision`. */
  advance(revision: number): void {
    this.next = Math.max(this.next, revision + 1);
  }

  /** The connection is gone: what came of an unfinished revision will come again. */
  reset(): void {
    this.#revision = 0;
    this.#events = [];
  }

  #deliver(deliver: (batch: RevisionBatch) => void): void {
    if (this.#events.length === 0) return;
    const batch = { revision: this.#revision, events: this.#events };
    this.next = batch.revision + 1;
    this.reset();
    deliver(batch);
  }
}
