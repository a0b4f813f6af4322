import type { EtcdClient } from '@periplus/etcd';

interface Waiter {
  revision: number;
  resolve: () => void;
  reject: (reason: unknown) => void;
}

/** Those who wait for the cache to reach a revision. */
export class Waiters {
  #waiting: Waiter[] = [];
  #over: { reason: unknown } | null = null;

  get size(): number {
    return this.#waiting.length;
  }

  /** Resolves when `reached` is called with `revision` or a later one. */
  wait(revision: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#over !== null) return reject(this.#over.reason);
      if (signal?.aborted) return reject(signal.reason);
      const abort = (): void => {
        this.#waiting = this.#waiting.filter((each) => each !== waiter);
        reject(signal?.reason);
      };
      const settled = (settle: () => void) => () => {
        signal?.removeEventListener('abort', abort);
        settle();
      };
      const waiter = { revision, resolve: settled(resolve), reject };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.push(waiter);
    });
  }

  reached(revision: number): void {
    if (this.#waiting.length === 0) return;
    const ready = this.#waiting.filter((waiter) => waiter.revision <= revision);
    if (ready.length === 0) return;
    this.#waiting = this.#waiting.filter((waiter) => waiter.revision > revision);
    for (const waiter of ready) waiter.resolve();
  }

  /** Nothing will be reached any more: rejects all, those who come later too. */
  end(reason: unknown): void {
    this.#over = { reason };
    for (const waiter of this.#waiting.splice(0)) waiter.reject(reason);
  }
}

/** etcd's revision, and the last one that changed the log, at one moment. */
export interface Newest {
  revision: number;
  logRevision: number;
}

/**
 * Linearizable reads of where the log ends. One at a time; everybody who asks while one is under way shares the
 * next, because the one under way may have been answered before they asked.
 */
export class NewestRevision {
  readonly #etcd: Pick<EtcdClient, 'range'>;
  readonly #key: string;
  #running: Promise<Newest> | null = null;
  #next: Promise<Newest> | null = null;

  /** `key` is rewritten by every change of the log: `Keys.revision`. */
  constructor(etcd: Pick<EtcdClient, 'range'>, key: string) {
    this.#etcd = etcd;
    this.#key = key;
  }

  read(): Promise<Newest> {
    if (this.#running === null) return this.#start();
    this.#next ??= this.#running.then(
      () => this.#start(),
      () => this.#start(),
    );
    return this.#next;
  }

  #start(): Promise<Newest> {
    this.#next = null;
    const reading = this.#range().finally(() => {
      if (this.#running === reading) this.#running = null;
    });
    this.#running = reading;
    return reading;
  }

  async #range(): Promise<Newest> {
    const { revision, kvs } = await this.#etcd.range({ key: this.#key });
    return { revision, logRevision: kvs[0]?.modRevision ?? 0 };
  }
}
