import { parseQuantity } from '@periplus/apimachinery';
import { deviceId } from './device-pools.ts';
import type { AllocatedDevice, Allocation } from './resource-types.ts';

/** Of each capacity of a device, by name, so much in units of 10^-9. */
export type Capacity = ReadonlyMap<string, bigint>;

const NOTHING: Capacity = new Map();

/** Of a device that several may have. */
interface Shares {
  count: number;
  readonly consumed: Map<string, bigint>;
}

/** Which devices belong to somebody, and what is taken of those that several share. Admin access takes nothing. */
export class AllocatedDevices {
  private readonly owners = new Map<string, number>();
  private readonly shares = new Map<string, Shares>();

  add(allocation: Allocation): void {
    this.count(allocation, 1);
  }

  remove(allocation: Allocation): void {
    this.count(allocation, -1);
  }

  isOwned(id: string): boolean {
    return this.owners.has(id);
  }

  isShared(id: string): boolean {
    return this.shares.has(id);
  }

  /** What those who share a device take of it. */
  consumed(id: string): Capacity {
    return this.shares.get(id)?.consumed ?? NOTHING;
  }

  private count({ devices }: Allocation, by: 1 | -1): void {
    for (const result of devices?.results ?? []) {
      if (result.adminAccess) continue;
      const id = deviceId(result.driver, result.pool, result.device);
      if (result.shareID) this.share(id, result, by);
      else this.own(id, by);
    }
  }

  private own(id: string, by: 1 | -1): void {
    const owners = (this.owners.get(id) ?? 0) + by;
    if (owners > 0) this.owners.set(id, owners);
    else this.owners.delete(id);
  }

  private share(id: string, { consumedCapacity = {} }: AllocatedDevice, by: 1 | -1): void {
    const shares = this.shares.get(id) ?? { count: 0, consumed: new Map<string, bigint>() };
    shares.count += by;
    for (const [name, amount] of Object.entries(consumedCapacity)) {
      const { nano } = parseQuantity(amount);
      shares.consumed.set(name, (shares.consumed.get(name) ?? 0n) + BigInt(by) * nano);
    }
    if (shares.count > 0) this.shares.set(id, shares);
    else this.shares.delete(id);
  }
}
