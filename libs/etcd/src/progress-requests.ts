import { EtcdError } from './error.ts';
import type { Watch } from './watch.ts';

/**
 * etcd leaves a request unanswered while it has events to send to any watch of the stream, or while one of them is to start at a revision
 * that does not exist yet. So it is repeated.
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

/**
 * Gets progress for the watches that want it: by asking etcd, and where it can't be trusted or does not answer, by writing the watch's
 * `progressKey` too, whose event comes after all others before it.
 */
export class ProgressRequests {
  readonly #watches: ReadonlyMap<number, Watch>;
  readonly #write: (key: string) => Promise<number>;
  readonly #writing = new Set<string>();
  /** Keys that this client may not write. */
  readonly #denied = new Set<string>();
  #stream: StreamProgress | null = null;
  #trusted: boolean | 'looking' | null = null;
  #timer: NodeJS.Timeout | null = null;
  #unanswered = false;
  #repeatMs = REPEAT_MS_MIN;

  constructor(watches: ReadonlyMap<number, Watch>, write: (key: string) => Promise<number>) {
    this.#watches = watches;
    this.#write = write;
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
    this.answered();
  }

  /** An answer has arrived: the next request need not wait. */
  answered(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#unanswered = false;
    this.#repeatMs = REPEAT_MS_MIN;
  }

  /** Call when a watch has come to want progress. */
  ask(): void {
    const waiting = [...this.#watches.values()].filter((watch) => watch.wantsProgress);
    if (this.#stream === null || waiting.length === 0 || this.#trusted === 'looking') return;
    if (this.#trusted === null) return void this.#lookUpTrust(this.#stream);
    if (!this.#trusted || this.#unanswered) this.#mark(waiting);
    if (this.#timer !== null) return;
    this.#stream.request();
    this.#repeat();
  }

  async #lookUpTrust(stream: StreamProgress): Promise<void> {
    this.#trusted = 'looking';
    const trusted = await stream.lookUpTrust();
    if (this.#stream !== stream) return;
    this.#trusted = trusted;
    this.ask();
  }

  #repeat(): void {
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#unanswered = true;
      this.ask();
    }, this.#repeatMs);
    this.#repeatMs = Math.min(REPEAT_MS_MAX, this.#repeatMs * 2);
  }

  #mark(waiting: readonly Watch[]): void {
    for (const watch of waiting) {
      const { progressKey } = watch.options;
      if (progressKey === undefined || this.#denied.has(progressKey) || this.#writing.has(progressKey)) continue;
      void this.#writeMark(progressKey, watch);
    }
  }

  async #writeMark(key: string, watch: Watch): Promise<void> {
    this.#writing.add(key);
    try {
      const revision = await this.#write(key);
      this.#writing.delete(key);
      // Its event may have arrived before its answer, and somebody may want to know more since.
      if (watch.wantsProgress && watch.next > revision) this.ask();
    } catch (error) {
      this.#writing.delete(key);
      if (error instanceof EtcdError && error.reason === 'PermissionDenied') this.#denied.add(key);
      this.#repeat();
    }
  }
}
