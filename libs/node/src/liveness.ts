import type { Logger } from '@periplus/component';
import type { EtcdClient, LeaseHandle } from '@periplus/etcd';
import type { Keys } from '@periplus/store';

const RETRY_MS = 1_000;
/** Keys written at once when many nodes share a lease. */
const WRITES_MAX = 64;

export interface LivenessDeps {
  etcd: EtcdClient;
  keys: Keys;
  nodes: readonly string[];
  /** How long a node counts as alive that is not heard of any more. */
  ttlSeconds: number;
  /**
   * All keys stand, for the first time or again. Until now the nodes may have been taken for dead, and what they had
   * reported replaced: it has to be reported anew.
   */
  onHeld(): void;
  log: Logger;
}

/**
 * Holds the liveness keys of nodes by one lease, and takes a new lease when that one has ended. Costs no write
 * while all is well. Closing does not end the lease: an agent that comes back in time was never away.
 */
export class Liveness {
  private readonly deps: LivenessDeps;
  private lease: LeaseHandle | null = null;
  private timer: NodeJS.Timeout | null = null;
  private closed = false;
  private held = false;

  constructor(deps: LivenessDeps) {
    this.deps = deps;
  }

  /** Whether all keys stand, as far as is known. */
  get isHeld(): boolean {
    return this.held;
  }

  /** Returns at once; keeps trying until it is closed. */
  start(): void {
    void this.hold();
  }

  close(): void {
    this.closed = true;
    if (this.timer) clearTimeout(this.timer);
  }

  private async hold(): Promise<void> {
    this.timer = null;
    const { etcd, keys, nodes, ttlSeconds, log } = this.deps;
    try {
      const lease = await etcd.lease(ttlSeconds);
      this.lease = lease;
      const value = Buffer.from(JSON.stringify({ ttlSeconds }));
      for (let i = 0; i < nodes.length && !this.closed; i += WRITES_MAX) {
        await Promise.all(nodes.slice(i, i + WRITES_MAX).map((node) => etcd.put(keys.liveness(node), value, lease.id)));
      }
      this.held = true;
      if (!this.closed) this.deps.onHeld();
      void lease.ended.then(() => {
        if (this.closed || this.lease !== lease) return;
        this.held = false;
        log.warn({ lease: lease.id }, 'the liveness lease has ended; taking a new one');
        void this.hold();
      });
    } catch (error) {
      if (this.closed) return;
      log.warn({ error: (error as Error).message }, 'could not hold the liveness lease');
      this.timer = setTimeout(() => void this.hold(), RETRY_MS);
    }
  }
}
