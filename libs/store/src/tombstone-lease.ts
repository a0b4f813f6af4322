import type { EtcdClient } from '@periplus/etcd';
import type { Clock } from './clock.ts';

const TTL_SECONDS = 900;
/** After so long the next lease takes over: what is put now stands for ten minutes at least. */
const ROTATE_MS = 300_000;

/**
 * The etcd lease that tombstones and fences hang on, so that they clean themselves up. A new one every few minutes,
 * because a lease ends with all that hangs on it.
 */
export class TombstoneLease {
  readonly #etcd: Pick<EtcdClient, 'grant'>;
  readonly #clock: Pick<Clock, 'nowMs'>;
  #id = '';
  #grantedAtMs = Number.NEGATIVE_INFINITY;
  #granting: Promise<string> | null = null;

  constructor(etcd: Pick<EtcdClient, 'grant'>, clock: Pick<Clock, 'nowMs'>) {
    this.#etcd = etcd;
    this.#clock = clock;
  }

  /** The lease to use now. Rejects with EtcdError when a new one is needed and cannot be had. */
  async id(): Promise<string> {
    if (this.#clock.nowMs() - this.#grantedAtMs < ROTATE_MS) return this.#id;
    this.#granting ??= this.#grant().finally(() => {
      this.#granting = null;
    });
    return this.#granting;
  }

  /** etcd does not know the lease any more. */
  lost(): void {
    this.#grantedAtMs = Number.NEGATIVE_INFINITY;
  }

  async #grant(): Promise<string> {
    const askedAtMs = this.#clock.nowMs();
    this.#id = await this.#etcd.grant(TTL_SECONDS);
    this.#grantedAtMs = askedAtMs;
    return this.#id;
  }
}
