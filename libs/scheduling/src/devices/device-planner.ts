import { resourceClaimConflict } from '@periplus/api';
import { allocate, type OpenClaim } from './allocator.ts';
import type { DeviceCatalog } from './device-catalog.ts';
import { selects } from './device-pools.ts';
import { isHopeless } from './device-readiness.ts';
import type { DeviceUser } from './device-user.ts';
import type { Allocation, Claim, NodeView } from './resource-types.ts';
import { wantedDevices } from './wanted-devices.ts';

/** Of a request. https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/resource-claim-v1/ */
const ALTERNATIVES_MAX = 8;
/** How much time devices may take. */
export interface DeviceLimits {
  /** How many may be tried for a pod on a node; more would keep all pods waiting for tenths of a second. */
  readonly stepsMax: number;
  /** How long they may take to become ready for a pod. */
  readonly readyMsMax: number;
}

export const DEVICE_LIMITS: DeviceLimits = { stepsMax: 50_000, readyMsMax: 600_000 };

/** For all nodes together, so many times as for one: other pods wait meanwhile. */
const SEARCHES_MAX = 4;

/** Of a node that would do if it were not for claims that have devices elsewhere. */
export const UNAVAILABLE = 'resourceclaim not available on the node';

/** What is to be allocated for a pod on a node. */
export type DevicePlan = ReadonlyMap<Claim, Allocation>;

export const isDevicePlan = (plan: DevicePlan | string): plan is DevicePlan => typeof plan !== 'string';

/** The claims of a pod, or why it is too early to look for a node: one is not there, or not the pod's. */
export function claimsOf({ pod, claims }: DeviceUser, catalog: DeviceCatalog): readonly Claim[] | string {
  const found: Claim[] = [];
  for (const { key, isMade } of claims) {
    if (key === null) return `pod "${pod.namespace}/${pod.name}": ResourceClaim not created yet`;
    const claim = catalog.claim(key);
    if (!claim) return `could not find ResourceClaim ${JSON.stringify(key)}`;
    if (claim.metadata.deletionTimestamp)
      return `resourceclaim ${JSON.stringify(claim.metadata.name)} is being deleted`;
    const conflict = isMade ? resourceClaimConflict(pod, claim) : undefined;
    if (conflict !== undefined) return conflict;
    if (!found.includes(claim)) found.push(claim);
  }
  return found;
}

/** Counts the devices that a pod would get on a node as its own. */
export function supposeDevices(user: DeviceUser, node: NodeView, catalog: DeviceCatalog): void {
  const plan = new DevicePlanner(user, catalog).plan(node);
  if (isDevicePlan(plan)) for (const [claim, allocation] of plan) catalog.suppose(claim, allocation);
}

/**
 * What the claims of a pod make of nodes: allocated ones must be usable there, for others devices are found that the
 * node reaches. Good until anything changes.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/
 */
export class DevicePlanner {
  /** Why the pod can run nowhere for now; null when that depends on the node. */
  readonly obstacle: string | null;
  private readonly catalog: DeviceCatalog;
  private readonly limits: DeviceLimits;
  private stepsLeft: number;
  private readonly allocated: { readonly claim: Claim; readonly allocation: Allocation }[] = [];
  private readonly open: OpenClaim[] = [];

  constructor(user: DeviceUser, catalog: DeviceCatalog, limits = DEVICE_LIMITS) {
    this.catalog = catalog;
    this.limits = limits;
    this.stepsLeft = limits.stepsMax * SEARCHES_MAX;
    this.obstacle = this.sort(user);
  }

  /** The plan for the node, or why there is none. */
  plan(node: NodeView): DevicePlan | string {
    const { open, catalog } = this;
    if (this.obstacle !== null) return this.obstacle;
    const plan = new Map<Claim, Allocation>();
    if (open.length > 0) {
      const budget = { steps: Math.min(this.limits.stepsMax, this.stepsLeft) };
      this.stepsLeft -= budget.steps;
      const found = allocate(open, node, catalog.reachedFrom(node), catalog, budget);
      this.stepsLeft += budget.steps;
      if (typeof found === 'string') return found;
      for (const [index, { claim }] of open.entries()) plan.set(claim, found[index]!);
    }
    return this.unavailableOn(node).length > 0 ? UNAVAILABLE : plan;
  }

  /** The claims whose devices the node does not reach, or that don't become ready. */
  unavailableOn(node: NodeView): Claim[] {
    const waiting = { nowMs: this.catalog.nowMs, msMax: this.limits.readyMsMax };
    return this.allocated
      .filter(({ claim, allocation: { nodeSelector } }) => {
        const isThere = !nodeSelector || selects(nodeSelector, node);
        return !isThere || isHopeless(claim, waiting);
      })
      .map(({ claim }) => claim);
  }

  /** Whether it depends on the node which of several alternatives the pod gets. */
  get hasAlternatives(): boolean {
    return this.open.some(({ wanted }) => wanted.some(({ alternatives }) => alternatives.length > 1));
  }

  /** The more, the earlier the alternatives are that the pod gets on the node. */
  preference(node: NodeView): number {
    const plan = this.plan(node);
    if (!isDevicePlan(plan)) return 0;
    let sum = 0;
    for (const { claim, wanted } of this.open) {
      const names = new Set(plan.get(claim)!.devices!.results!.map(({ request }) => request));
      for (const { alternatives } of wanted) {
        const rank = alternatives.findIndex(({ name }) => names.has(name));
        if (alternatives[rank]?.name.includes('/')) sum += ALTERNATIVES_MAX - rank;
      }
    }
    return sum;
  }

  /** Returns the obstacle, as `obstacle`. */
  private sort(user: DeviceUser): string | null {
    const { catalog } = this;
    const claims = claimsOf(user, catalog);
    if (typeof claims === 'string') return claims;
    for (const claim of claims) {
      const allocation = catalog.allocationOf(claim);
      if (allocation) {
        this.allocated.push({ claim, allocation });
        continue;
      }
      const { namespace, name } = claim.metadata;
      if (catalog.isBeingAllocated(claim)) {
        return `resource claim ${namespace}/${name} is in the process of being allocated`;
      }
      const wanted = wantedDevices(claim, (ofClass) => catalog.classOf(ofClass));
      if (typeof wanted === 'string') return wanted;
      this.open.push({ claim, wanted });
    }
    return null;
  }
}
