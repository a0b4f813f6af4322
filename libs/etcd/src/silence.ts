/** A stream without a message for so long is asked for one; after as long again it is given up. */
const SILENCE_MS_MAX = 15_000;

/** Notices that a stream has gone quiet although its connection still answers. */
export class Silence {
  readonly #timer: NodeJS.Timeout;
  #asked = false;

  constructor(ask: () => void, giveUp: () => void) {
    this.#timer = setTimeout(() => {
      // A busy process looks at its timers first: what has arrived meanwhile is read before the verdict.
      setImmediate(() => {
        if (this.#asked) return giveUp();
        this.#asked = true;
        this.#timer.refresh();
        ask();
      });
    }, SILENCE_MS_MAX);
  }

  broken(): void {
    this.#asked = false;
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
