/**
 * etcd leaves a request unanswered while it has events to send to any watch of the stream, or while one of them is to
 * start at a revision that does not exist yet. So it is repeated.
 */
const REPEAT_MS_MIN = 100;
const REPEAT_MS_MAX = 5_000;

/** What the present stream offers. */
export interface StreamProgress {
  /** Sends a progress request. */
  request(): void;
  /** Finds out whether answers that are of no watch in particular can be believed. */
  lookUpTrust(): Promise<boolean>;
}

/** Asks for progress until all who want it have it. */
export class ProgressRequests {
  readonly #wanted: () => boolean;
  #stream: StreamProgress | null = null;
  #trusted: boolean | 'looking' | null = null;
  #timer: NodeJS.Timeout | null = null;
  #repeatMs = REPEAT_MS_MIN;

  /** `wanted` says whether some watch still wants progress. */
  constructor(wanted: () => boolean) {
    this.#wanted = wanted;
  }

  get trusted(): boolean {
    return this.#trusted === true;
  }

  opened(stream: StreamProgress): void {
    this.#stream = stream;
    this.#trusted = null;
    this.ask();
  }

  closed(): void {
    this.#stream = null;
    this.#rest();
  }

  /** An answer has arrived: the next request need not wait. */
  answered(): void {
    this.#rest();
    this.ask();
  }

  /** Call when a watch has come to want progress. */
  ask(): void {
    if (this.#stream === null || this.#timer !== null || this.#trusted === 'looking' || !this.#wanted()) return;
    if (this.#trusted === null) return void this.#lookUpTrust(this.#stream);
    this.#stream.request();
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.ask();
    }, this.#repeatMs);
    this.#repeatMs = Math.min(REPEAT_MS_MAX, this.#repeatMs * 2);
  }

  #rest(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#repeatMs = REPEAT_MS_MIN;
  }

  async #lookUpTrust(stream: StreamProgress): Promise<void> {
    this.#trusted = 'looking';
    const trusted = await stream.lookUpTrust();
    if (this.#stream !== stream) return;
    this.#trusted = trusted;
    this.ask();
  }
}
