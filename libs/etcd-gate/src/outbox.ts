/** What may wait for a reader who does not keep up. */
const WAITING_BYTES_MAX = 16 << 20;

/**
 * Messages on their way out of a stream, one handed over at a time, so that those that wait are ours to count and to
 * drop. A reader who falls too far behind loses them all.
 */
export class Outbox {
  readonly #write: (message: Buffer, written: () => void) => void;
  readonly #overflow: () => void;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #busy = false;

  constructor(write: (message: Buffer, written: () => void) => void, overflow: () => void) {
    this.#write = write;
    this.#overflow = overflow;
  }

  send(message: Buffer): void {
    if (!this.#busy) {
      this.#hand(message);
      return;
    }
    this.#waiting.push(message);
    this.#bytes += message.length;
    if (this.#bytes <= WAITING_BYTES_MAX) return;
    this.clear();
    this.#overflow();
  }

  clear(): void {
    this.#waiting = [];
    this.#bytes = 0;
  }

  #hand(message: Buffer): void {
    this.#busy = true;
    this.#write(message, () => {
      this.#busy = false;
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#bytes -= next.length;
      this.#hand(next);
    });
  }
}
