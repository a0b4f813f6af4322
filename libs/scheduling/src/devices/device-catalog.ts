import { deviceClass, resourceClaim, resourceSlice } from '@periplus/api';
import { deepEqual } from '@periplus/apimachinery';
import type { Depicted } from '../depicted.ts';
import { AllocatedDevices } from './allocated-devices.ts';
import { DevicePools } from './device-pools.ts';
import { DeviceSelectors } from './device-selectors.ts';
import { deviceClaimKey } from './device-user.ts';
import type { Allocation, Claim, Class, NodeView, Slice } from './resource-types.ts';

const { group: GROUP } = resourceClaim;

export const DEVICE_RESOURCES = [resourceClaim, deviceClass, resourceSlice].map(({ group, plural }) => ({
  group,
  resource: plural,
}));

export const isAboutDevices = ({ key }: Depicted): boolean => key.group === GROUP;

export const keyOfClaim = ({ metadata }: Claim): string => deviceClaimKey(metadata.namespace, metadata.name);

/** Whom a change may help. */
export interface DeviceChange {
  /** The one node that may have more devices; `''`: any. */
  readonly node: string;
  /** The claim that only its users mind; null: others may, too. */
  readonly claim: string | null;
}

const ANYBODY: DeviceChange = { node: '', claim: null };

/** What the scheduler knows of claims, classes and devices, and what it has decided of them itself. */
export class DeviceCatalog {
  readonly allocated = new AllocatedDevices();
  readonly selectors = new DeviceSelectors();
  /** The time of what is decided now. */
  nowMs = 0;
  private readonly pools = new DevicePools();
  private readonly claims = new Map<string, Claim>();
  private readonly classes = new Map<string, Class>();
  private readonly slices = new Map<string, Slice>();
  /** By claim: allocations that are being written, and not yet seen. */
  private readonly decided = new Map<string, Allocation>();
  /** Claims of pods that are being bound, each with their number. */
  private readonly wanted = new Map<string, number>();
  /** By claim: allocations for pods that are decided about together. */
  private readonly thought = new Map<string, Allocation>();

  claim(key: string): Claim | undefined {
    return this.claims.get(key);
  }

  classOf(name: string): Class | undefined {
    return this.classes.get(name);
  }

  reachedFrom(node: NodeView): ReturnType<DevicePools['reachedFrom']> {
    return this.pools.reachedFrom(node);
  }

  /** What the claim has, or is to have if the pods that are being thought about come to be where they are thought to be. */
  allocationOf(claim: Claim): Allocation | undefined {
    return claim.status?.allocation ?? this.thought.get(keyOfClaim(claim));
  }

  isBeingAllocated(claim: Claim): boolean {
    return this.decided.has(keyOfClaim(claim));
  }

  /** Whether a pod is being bound that uses the claim, though the claim may not say so yet. */
  isWanted(claim: Claim): boolean {
    return this.wanted.has(keyOfClaim(claim));
  }

  /** A pod that uses the claim is being bound, or that has ended. */
  want(claim: Claim, by: 1 | -1): void {
    const key = keyOfClaim(claim);
    const count = (this.wanted.get(key) ?? 0) + by;
    if (count > 0) this.wanted.set(key, count);
    else this.wanted.delete(key);
  }

  /** Counts devices as the claim's until `forget` or `decide`. */
  suppose(claim: Claim, allocation: Allocation): void {
    this.thought.set(keyOfClaim(claim), allocation);
    this.allocated.add(allocation);
  }

  /** Nothing is supposed any more. */
  forget(): void {
    for (const allocation of this.thought.values()) this.allocated.remove(allocation);
    this.thought.clear();
  }

  /** What was supposed comes true: nobody else is to get these devices until the claims are seen, or `settle` is told. */
  decide(): void {
    for (const [key, allocation] of this.thought) this.decided.set(key, allocation);
    this.thought.clear();
  }

  /** What was decided for a claim has come to be seen, or to nothing. Whether that was still open. */
  settle(key: string, allocation = this.decided.get(key)): boolean {
    if (!allocation || this.decided.get(key) !== allocation) return false;
    this.decided.delete(key);
    this.allocated.remove(allocation);
    return true;
  }

  /** Takes a change of an object. Null: it helps nobody. */
  apply({ key, object }: Depicted, isGone: boolean): DeviceChange | null {
    const { resource, namespace, name } = key;
    switch (resource) {
      case resourceClaim.plural:
        return this.setClaim(deviceClaimKey(namespace, name), isGone ? undefined : (object as Claim));
      case deviceClass.plural:
        if (isGone) this.classes.delete(name);
        else this.classes.set(name, object as Class);
        return isGone ? null : ANYBODY;
      case resourceSlice.plural:
        return this.setSlice(name, isGone ? undefined : (object as Slice));
      default:
        return null;
    }
  }

  private setClaim(key: string, claim: Claim | undefined): DeviceChange | null {
    const before = this.claims.get(key);
    if (claim) this.claims.set(key, claim);
    else this.claims.delete(key);
    const [had, has] = [before?.status?.allocation, claim?.status?.allocation];
    if (had) this.allocated.remove(had);
    if (has) this.allocated.add(has);
    const isSettled = (!claim || has !== undefined) && this.settle(key);
    if ((had && !has) || (isSettled && !claim)) return ANYBODY;
    const isNews = !before !== !claim || !deepEqual(before?.status ?? {}, claim?.status ?? {});
    return isNews ? { node: '', claim: key } : null;
  }

  private setSlice(name: string, slice: Slice | undefined): DeviceChange | null {
    const before = this.slices.get(name);
    if (before) this.pools.delete(before);
    if (!slice) {
      this.slices.delete(name);
      return null;
    }
    this.slices.set(name, slice);
    this.pools.set(slice);
    return { node: slice.spec.nodeName ?? '', claim: null };
  }
}
