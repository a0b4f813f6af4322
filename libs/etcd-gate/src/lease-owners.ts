import type { EtcdClient } from '@periplus/etcd';
import type { GateAccess } from './access.ts';
import { type GateIdentity, nameOf } from './identity.ts';

const LEASES_PER_OWNER_MAX = 16;

interface Ownership {
  owner: string;
  /** By performance.now(); after that it need not be remembered. */
  endsAt: number;
}

/**
 * Whose lease is whose. Leases granted through this gate are remembered; one granted before it started is known by the
 * liveness key that it holds, which nobody else could have put.
 */
export class LeaseOwners {
  readonly #etcd: EtcdClient;
  readonly #access: GateAccess;
  readonly #leases = new Map<string, Ownership>();

  constructor(etcd: EtcdClient, access: GateAccess) {
    this.#etcd = etcd;
    this.#access = access;
  }

  /** Whether the caller has as many leases as one may have. */
  isFull(identity: GateIdentity): boolean {
    const now = performance.now();
    const owner = nameOf(identity);
    let count = 0;
    for (const [lease, ownership] of this.#leases) {
      if (ownership.endsAt < now) this.#leases.delete(lease);
      else if (ownership.owner === owner) count++;
    }
    return count >= LEASES_PER_OWNER_MAX;
  }

  /** The caller's lease was granted or renewed. */
  holds(identity: GateIdentity, lease: string, ttlSeconds: number): void {
    this.#leases.set(lease, { owner: nameOf(identity), endsAt: performance.now() + ttlSeconds * 1_000 });
  }

  ended(lease: string): void {
    this.#leases.delete(lease);
  }

  async owns(identity: GateIdentity, lease: string): Promise<boolean> {
    const known = this.#leases.get(lease);
    if (known !== undefined) return known.owner === nameOf(identity);
    const { kvs } = await this.#etcd.range({ ...this.#access.liveness(identity), keysOnly: true });
    return kvs.some((kv) => kv.lease === lease);
  }
}
