import { parseQuantity } from '@periplus/apimachinery';
import type { AllocatedDevices } from './allocated-devices.ts';
import { deviceId, type Pool, type PooledDevice } from './device-pools.ts';
import type { Device } from './resource-types.ts';

type Balance = Map<string, Map<string, bigint>>;

function book(balance: Balance, { consumesCounters = [] }: Device, sign: 1n | -1n): void {
  for (const { counterSet, counters } of consumesCounters) {
    const set = balance.get(counterSet)!;
    for (const [name, { value }] of Object.entries(counters))
      set.set(name, set.get(name)! + sign * parseQuantity(value).nano);
  }
}

/**
 * What is left of the counters of pools, of which devices that overlap take the same. Counts what is allocated, and what
 * is taken here. https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#partitionable-devices
 */
export class SharedCounters {
  private readonly allocated: AllocatedDevices;
  private readonly balances = new Map<Pool, Balance>();

  constructor(allocated: AllocatedDevices) {
    this.allocated = allocated;
  }

  /** Whether there is enough left; if so, it is taken. */
  take({ device, pool }: PooledDevice): boolean {
    if (!device.consumesCounters?.length) return true;
    const balance = this.balanceOf(pool);
    book(balance, device, -1n);
    const isEnough = device.consumesCounters.every(({ counterSet, counters }) =>
      Object.keys(counters).every((name) => balance.get(counterSet)!.get(name)! >= 0n),
    );
    if (!isEnough) book(balance, device, 1n);
    return isEnough;
  }

  giveBack({ device, pool }: PooledDevice): void {
    if (device.consumesCounters?.length) book(this.balanceOf(pool), device, 1n);
  }

  private balanceOf(pool: Pool): Balance {
    const known = this.balances.get(pool);
    if (known) return known;
    const { allocated } = this;
    const balance: Balance = new Map([...pool.counters].map(([name, counters]) => [name, new Map(counters)]));
    for (const device of pool.slices.flatMap(({ spec }) => spec.devices ?? [])) {
      const id = deviceId(pool.driver, pool.name, device.name);
      if (allocated.isOwned(id) || allocated.isShared(id)) book(balance, device, -1n);
    }
    this.balances.set(pool, balance);
    return balance;
  }
}
