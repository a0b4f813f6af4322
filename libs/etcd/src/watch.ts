import type { mvccpb } from '@periplus/proto';
import type { EtcdError } from './error.ts';
import { fromEvent } from './messages.ts';
import { RevisionAssembler } from './revision-assembler.ts';
import type { RevisionBatch, WatchOptions } from './types.ts';

/** One watch as the caller sees it, whatever streams come and go below. After it is over, its callbacks are silent. */
export class Watch {
  readonly id: number;
  readonly options: WatchOptions;
  /** The caller waits for `onProgress`. */
  wantsProgress = false;
  #over = false;
  readonly #assembler: RevisionAssembler;
  readonly #deliver = (batch: RevisionBatch): void => {
    if (!this.#over) this.options.onRevision(batch);
  };

  constructor(id: number, options: WatchOptions) {
    this.id = id;
    this.options = options;
    this.#assembler = new RevisionAssembler(options.startRevision);
  }

  /** Where a new stream has to start. */
  get next(): number {
    return this.#assembler.next;
  }

  get over(): boolean {
    return this.#over;
  }

  take(events: readonly mvccpb.Event.$Properties[], moreFollows: boolean): void {
    this.#assembler.take(events.map(fromEvent), moreFollows, this.#deliver);
  }

  /** etcd says that all up to `revision` has been sent. */
  progressed(revision: number): void {
    if (this.#assembler.unfinished) return;
    this.#assembler.advance(revision);
    this.wantsProgress = false;
    this.options.onProgress?.(this.#assembler.next - 1);
  }

  /** The stream is gone. */
  interrupted(): void {
    this.#assembler.reset();
  }

  cancelled(): void {
    this.#over = true;
  }

  compacted(compactRevision: number): void {
    this.#over = true;
    this.options.onCompacted(compactRevision);
  }

  failed(error: EtcdError): void {
    this.#over = true;
    this.options.onFailed(error);
  }
}
