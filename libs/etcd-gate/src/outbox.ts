/** With more than that waiting for a reader, nothing further is to be sent until little is left. */
const FULL_BYTES = 4 << 20;
const DRAINED_BYTES = 1 << 20;

export interface OutboxDeps {
  /** Hands a message over; `written` is to be called when the next one may follow. */
  write(message: Buffer, written: () => void): void;
  /** The reader does not keep up: what is sent now is still kept, but should stop. */
  full(): void;
  /** After `full`: there is room again. */
  drained(): void;
}

/** Messages on their way out of a stream, one handed over at a time, so that those that wait can be counted. */
export class Outbox {
  readonly #deps: OutboxDeps;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #busy = false;
  #full = false;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
  }

  send(message: Buffer): void {
    if (!this.#busy) {
      this.#hand(message);
      return;
    }
    this.#waiting.push(message);
    this.#bytes += message.length;
    if (this.#full || this.#bytes <= FULL_BYTES) return;
    this.#full = true;
    this.#deps.full();
  }

  clear(): void {
    this.#waiting = [];
    this.#bytes = 0;
  }

  #hand(message: Buffer): void {
    this.#busy = true;
    this.#deps.write(message, () => {
      this.#busy = false;
      const next = this.#waiting.shift();
      if (next !== undefined) {
        this.#bytes -= next.length;
        this.#hand(next);
      }
      if (!this.#full || this.#bytes > DRAINED_BYTES) return;
      this.#full = false;
      this.#deps.drained();
    });
  }
}
