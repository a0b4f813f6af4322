import { backoffMs } from './backoff.ts';
import type { RenewalStream } from './renewal-stream.ts';

const RETRY = { baseMs: 50, maxMs: 1_000 };
const RENEWALS_PER_TTL = 3;

/**
 * A lease that is renewed until it is dropped or lost. It counts as lost when it could not be renewed within its time,
 * whether etcd is there to say so or not: etcd's own count starts later than ours, so whoever holds it knows first.
 */
export class KeptLease {
  readonly id: number;
  /** Resolves when it is dropped or lost. */
  readonly ended: Promise<void>;
  readonly #renewals: RenewalStream;
  readonly #ttlMs: number;
  readonly #resolve: () => void;
  #over = false;
  #endsAt: number;
  #expiry: NodeJS.Timeout;
  #next: NodeJS.Timeout;

  /** `grantedAt` is by performance.now(), before the lease was asked for. */
  constructor(renewals: RenewalStream, id: number, ttlSeconds: number, grantedAt: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.id = id;
    this.ended = promise;
    this.#resolve = resolve;
    this.#renewals = renewals;
    this.#ttlMs = ttlSeconds * 1_000;
    this.#endsAt = grantedAt + this.#ttlMs;
    this.#expiry = this.#expireAt();
    this.#next = this.#renewIn(this.#paceMs, 0);
  }

  /** Stops renewing. */
  drop(): void {
    this.#over = true;
    clearTimeout(this.#expiry);
    clearTimeout(this.#next);
    this.#resolve();
  }

  get #paceMs(): number {
    return this.#ttlMs / RENEWALS_PER_TTL;
  }

  #expireAt(): NodeJS.Timeout {
    return setTimeout(() => this.drop(), this.#endsAt - performance.now());
  }

  #renewIn(ms: number, attempt: number): NodeJS.Timeout {
    return setTimeout(() => void this.#renew(attempt), ms);
  }

  async #renew(attempt: number): Promise<void> {
    const sentAt = performance.now();
    try {
      const ttlSeconds = await this.#renewals.renew(this.id, this.#paceMs);
      if (this.#over) return;
      if (ttlSeconds === 0) return this.drop();
      this.#endsAt = sentAt + this.#ttlMs;
      clearTimeout(this.#expiry);
      this.#expiry = this.#expireAt();
      this.#next = this.#renewIn(this.#paceMs, 0);
    } catch {
      if (!this.#over) this.#next = this.#renewIn(backoffMs(attempt, RETRY, Math.random()), attempt + 1);
    }
  }
}
