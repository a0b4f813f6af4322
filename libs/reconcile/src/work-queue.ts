import type { Clock } from './clock.ts';
import { DelayQueue } from './delay-queue.ts';

/** First and longest delay of a key that fails again and again, as client-go's default controller rate limiter. */
const BACKOFF_MS_MIN = 5;
const BACKOFF_MS_MAX = 1_000_000;

/** Why a key is in the queue. Of several reasons the one of the highest rank wins, then the newest. */
export interface Wake<Cause> {
  cause: Cause | null;
  rank: number;
}

interface Queued<Cause> extends Wake<Cause> {
  sinceMs: number;
}

/**
 * Keys that want work. Three sets explain all of it: a key that wants work is *dirty*; it stands in the line
 * unless it is being *processed* right now, and then gets in line when that is done. So a key is never processed
 * twice at once, and adding it any number of times costs one run. Bounded by the number of keys.
 */
export class WorkQueue<Cause> {
  private readonly clock: Clock;
  private readonly onReady: () => void;
  private line: string[] = [];
  private head = 0;
  private readonly dirty = new Map<string, Queued<Cause>>();
  private readonly processing = new Set<string>();
  private readonly failures = new Map<string, number>();
  private readonly delayed: DelayQueue<Wake<Cause>>;

  /** `onReady` is called when a key joins the line. */
  constructor(clock: Clock, onReady: () => void) {
    this.clock = clock;
    this.onReady = onReady;
    this.delayed = new DelayQueue(clock, (key, wake) => this.add(key, wake.cause, wake.rank));
  }

  /** Keys in line. */
  get depth(): number {
    return this.line.length - this.head;
  }

  get processingCount(): number {
    return this.processing.size;
  }

  add(key: string, cause: Cause | null = null, rank = 0): void {
    const present = this.dirty.get(key);
    if (present) {
      if (cause !== null && (rank >= present.rank || present.cause === null)) {
        present.cause = cause;
        present.rank = rank;
      }
      return;
    }
    this.dirty.set(key, { cause, rank, sinceMs: this.clock.nowMs() });
    if (!this.processing.has(key)) this.join(key);
  }

  /** In line after `delayMs`, in place of any earlier such wish. Taking the key for processing cancels it. */
  addAfter(key: string, delayMs: number, cause: Cause | null = null): void {
    this.delayed.set(key, delayMs, { cause, rank: 0 });
  }

  /** In line after a delay that doubles with each call until `forget`. Returns the delay. */
  addRateLimited(key: string, cause: Cause | null = null): number {
    const failures = this.failures.get(key) ?? 0;
    this.failures.set(key, failures + 1);
    const delayMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** failures);
    this.addAfter(key, delayMs, cause);
    return delayMs;
  }

  failuresOf(key: string): number {
    return this.failures.get(key) ?? 0;
  }

  /** The key succeeded: its next failure is its first again. */
  forget(key: string): void {
    this.failures.delete(key);
  }

  /** The key at the head of the line, which is now being processed until `done`. */
  take(): { key: string; cause: Cause | null; waitedMs: number } | undefined {
    const key = this.line[this.head];
    if (key === undefined) return undefined;
    this.head += 1;
    if (this.head > 1_024 && this.head * 2 > this.line.length) {
      this.line = this.line.slice(this.head);
      this.head = 0;
    }
    const { cause, sinceMs } = this.dirty.get(key)!;
    this.dirty.delete(key);
    this.delayed.delete(key);
    this.processing.add(key);
    return { key, cause, waitedMs: this.clock.nowMs() - sinceMs };
  }

  done(key: string): void {
    this.processing.delete(key);
    if (this.dirty.has(key)) this.join(key);
  }

  /** Forgets everything but what is being processed. */
  clear(): void {
    this.line = [];
    this.head = 0;
    this.dirty.clear();
    this.failures.clear();
    this.delayed.clear();
  }

  private join(key: string): void {
    this.line.push(key);
    this.onReady();
  }
}
