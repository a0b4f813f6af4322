import { isReservedFor } from '@periplus/api';
import { deepEqual, formatTime, isConflict } from '@periplus/apimachinery';
import type { ClusterCache } from '@periplus/cache';
import type { CommandCause, CommandClient } from '@periplus/client';
import { ClaimWatch, TimedOut } from '../claim-watch.ts';
import type { NodeTable } from '../node-table.ts';
import type { Placement } from '../pod-info.ts';
import { isProtected, protect, reserve, type UserOfClaim, unreserve } from './claim-commands.ts';
import { type DeviceCatalog, keyOfClaim } from './device-catalog.ts';
import { claimsOf, type DeviceLimits, DevicePlanner, isDevicePlan } from './device-planner.ts';
import { hasToBecomeReady, isReady } from './device-readiness.ts';
import type { Allocation, Claim } from './resource-types.ts';

/** Attempts to write a claim that others write meanwhile. */
const ATTEMPTS_MAX = 5;

/** What is to be written of a claim before its pods are bound. */
interface ClaimWrite {
  readonly claim: Claim;
  /** What it gets; null when it has that already. */
  readonly allocation: Allocation | null;
  readonly pods: readonly UserOfClaim[];
}

export type DeviceWrites = readonly ClaimWrite[];

export interface DeviceBinderDeps {
  catalog: DeviceCatalog;
  commands: CommandClient;
  cache: Pick<ClusterCache, 'current' | 'waitFor'>;
  nowMs(): number;
}

const nameOf = ({ metadata }: Claim): string => `${metadata.namespace}/${metadata.name}`;

/**
 * Decides for all pods that are bound together which devices their claims get, and keeps these from others, and the
 * claims from being given back, until `DeviceBinder.end`. Throws when that can't be done any more.
 */
export function decideDevices(
  placements: readonly Placement[],
  table: NodeTable,
  limitsOf: (schedulerName: string) => DeviceLimits,
): DeviceWrites {
  const { devices: catalog, nodes } = table;
  const writes = new Map<Claim, { allocation: Allocation | null; pods: UserOfClaim[] }>();
  try {
    for (const placement of placements) {
      const { devices, schedulerName } = placement.pod.shape;
      if (!devices) continue;
      const plan = new DevicePlanner(devices, catalog, limitsOf(schedulerName)).plan(
        nodes[table.slot(placement.node)!]!,
      );
      if (!isDevicePlan(plan)) throw new Error(plan);
      for (const [claim, allocation] of plan) {
        catalog.suppose(claim, allocation);
        writes.set(claim, { allocation, pods: [] });
      }
      for (const claim of claimsOf(devices, catalog) as readonly Claim[]) {
        const write = writes.get(claim) ?? { allocation: null, pods: [] };
        writes.set(claim, write);
        if (!isReservedFor(claim, { metadata: devices.pod })) write.pods.push(devices.pod);
      }
    }
  } catch (error) {
    catalog.forget();
    throw error;
  }
  catalog.decide();
  for (const claim of writes.keys()) catalog.want(claim, 1);
  return [...writes].map(([claim, write]) => ({ claim, ...write }));
}

/** Waits for all of them, however they end: afterwards nothing is under way. Rejects when one of them did. */
async function settled(all: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(all)) if (result.status === 'rejected') throw result.reason;
}

/** Writes into claims what they get, and who uses them, before their pods are bound. */
export class DeviceBinder {
  private readonly deps: DeviceBinderDeps;
  private readonly watch = new ClaimWatch();
  /** By claim: done when its last write is seen. */
  private readonly writing = new Map<string, Promise<unknown>>();

  constructor(deps: DeviceBinderDeps) {
    this.deps = deps;
  }

  /** Resolves when all is written. Rejects when a claim is not what it was when this was decided. */
  async bind(writes: DeviceWrites, cause: CommandCause | null, signal: AbortSignal): Promise<void> {
    const open = writes.filter(({ allocation, pods }) => allocation !== null || pods.length > 0);
    await settled(open.map((write) => this.write(write, cause, signal)));
  }

  /** Whether devices have to become ready before the pods may be bound. */
  hasToWait(writes: DeviceWrites): boolean {
    return writes.some(({ claim, allocation }) => {
      const has = allocation ?? claim.status?.allocation;
      return has !== undefined && hasToBecomeReady(has);
    });
  }

  /** Resolves when all devices are ready. Rejects when one has failed, or after `msMax`. */
  async untilReady(writes: DeviceWrites, msMax: number, signal: AbortSignal): Promise<void> {
    const keys = writes.map(({ claim }) => keyOfClaim(claim));
    const areReady = (): boolean =>
      keys.every((key) => {
        const claim = this.deps.catalog.claim(key);
        if (!claim) throw new Error(`could not find ResourceClaim ${JSON.stringify(key)}`);
        return isReady(claim);
      });
    try {
      await this.watch.until(keys, areReady, msMax, signal);
    } catch (error) {
      throw error instanceof TimedOut ? new Error('device binding timeout', { cause: error }) : error;
    }
  }

  /** A claim has changed. */
  look(claim: string): void {
    this.watch.look(claim);
  }

  /** Claims are no longer kept for pods that were not bound. Whether others may have devices that were decided upon. */
  withdraw(writes: DeviceWrites): boolean {
    const { catalog } = this.deps;
    return (
      writes.filter(({ claim, allocation }) => allocation && catalog.settle(keyOfClaim(claim), allocation)).length > 0
    );
  }

  /** The pods are bound, or it is given up. */
  end(writes: DeviceWrites): void {
    for (const { claim } of writes) this.deps.catalog.want(claim, -1);
  }

  /** Takes back the reservations for pods that were not bound, as far as they were written. */
  async giveBack(
    writes: DeviceWrites,
    uids: ReadonlySet<string>,
    cause: CommandCause | null,
    signal: AbortSignal,
  ): Promise<void> {
    const { catalog, commands } = this.deps;
    await settled(
      writes.map(async ({ claim: before, pods }) => {
        const claim = catalog.claim(keyOfClaim(before));
        if (claim === undefined || claim.metadata.uid !== before.metadata.uid) return;
        const gone = pods.filter((pod) => uids.has(pod.uid!) && isReservedFor(claim, { metadata: pod }));
        if (gone.length > 0) await commands.send(unreserve(claim, gone), cause, signal);
      }),
    );
  }

  /** After other writes to the claim, as each is about what the one before has left. */
  private async write(write: ClaimWrite, cause: CommandCause | null, signal: AbortSignal): Promise<void> {
    const { writing } = this;
    const key = keyOfClaim(write.claim);
    const written = (writing.get(key) ?? Promise.resolve()).then(() => this.writeNow(write, cause, signal));
    const seen = written
      .then((revision) => this.deps.cache.waitFor(revision, signal))
      .catch(() => undefined)
      .then(() => {
        if (writing.get(key) === seen) writing.delete(key);
      });
    writing.set(key, seen);
    await written;
  }

  /** Returns the revision of the write. */
  private async writeNow(write: ClaimWrite, cause: CommandCause | null, signal: AbortSignal): Promise<number> {
    const { cache } = this.deps;
    const what = write.allocation ? 'allocation and reservation' : 'reservation';
    for (let attempt = 1; ; attempt += 1) {
      const claim = this.current(write);
      try {
        return await this.send(claim, write, cause, signal);
      } catch (error) {
        const { message } = error as Error;
        if (!isConflict(error) || attempt === ATTEMPTS_MAX) {
          throw new Error(`add ${what} to claim ${nameOf(claim)}: ${message}`, { cause: error });
        }
        await cache.waitFor(await cache.current(), signal);
      }
    }
  }

  /** The claim as it is now. Throws when it is not to be written any more. */
  private current({ claim: before, allocation }: ClaimWrite): Claim {
    const claim = this.deps.catalog.claim(keyOfClaim(before));
    const failed = (how: string): Error => new Error(`claim ${nameOf(before)} got ${how} in the meantime`);
    if (claim === undefined || claim.metadata.uid !== before.metadata.uid || claim.metadata.deletionTimestamp) {
      throw failed('deleted');
    }
    const has = claim.status?.allocation;
    if (allocation && has) throw failed('allocated elsewhere');
    if (!allocation && !deepEqual(has, before.status?.allocation))
      throw failed(has ? 'allocated elsewhere' : 'deallocated');
    return claim;
  }

  private async send(
    claim: Claim,
    { allocation, pods }: ClaimWrite,
    cause: CommandCause | null,
    signal: AbortSignal,
  ): Promise<number> {
    const { commands, nowMs } = this.deps;
    let { resourceVersion } = claim.metadata;
    if (allocation && !isProtected(claim)) ({ resourceVersion } = await commands.send(protect(claim), cause, signal));
    const news = allocation && { ...allocation, allocationTimestamp: formatTime(nowMs()) };
    return (await commands.send(reserve(claim, resourceVersion!, pods, news), cause, signal)).revision;
  }
}
