import { CompileError } from '@periplus/api';
import type { AllocatedDevices, Capacity } from './allocated-devices.ts';
import { allocationOf, type FoundDevice } from './allocation.ts';
import { capacityTaken } from './device-capacity.ts';
import { satisfies } from './device-constraints.ts';
import type { PooledDevice, ReachedPool } from './device-pools.ts';
import type { DeviceSelectors } from './device-selectors.ts';
import { isRepelled } from './device-taints.ts';
import type { Allocation, Claim, Device, NodeView } from './resource-types.ts';
import { SharedCounters } from './shared-counters.ts';
import type { Alternative, WantedDevices } from './wanted-devices.ts';

/** Of one claim. https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/resource-claim-v1/ */
const DEVICES_MAX = 32;

/** A claim and what it asks for. */
export interface OpenClaim {
  readonly claim: Claim;
  readonly wanted: readonly WantedDevices[];
}

/** How many more devices may be tried; counted down. */
export interface SearchBudget {
  steps: number;
}

export interface AllocatorDeps {
  readonly allocated: AllocatedDevices;
  readonly selectors: DeviceSelectors;
}

/** Ends the search: no other choice would help. The message says why. */
class Impossible extends Error {}

type Selectors = Alternative['asked']['selectors'];

/** What was tried so far, for all claims, in order. */
interface Chosen extends FoundDevice {
  readonly claim: number;
}

/** Alike to everybody who may ask for one: where one is no help, the other is none. */
const kinds = new WeakMap<Device, string>();
function kindOf(device: Device): string {
  let kind = kinds.get(device);
  if (kind === undefined) {
    kind = JSON.stringify({ ...device, name: '' });
    kinds.set(device, kind);
  }
  return kind;
}

/** One attempt to find devices for the claims of a pod on a node. */
class Search {
  private readonly node: NodeView;
  private readonly pools: readonly ReachedPool[];
  private readonly claims: readonly OpenClaim[];
  private readonly deps: AllocatorDeps;
  private readonly budget: SearchBudget;
  private readonly counters: SharedCounters;
  /** Those that can be had now. */
  private readonly devices: readonly PooledDevice[];
  /** By request that is for all devices which it selects. */
  private readonly all = new Map<Alternative, readonly PooledDevice[]>();
  private readonly chosen: Chosen[] = [];
  /** By claim, what its requests are being satisfied with. */
  private readonly used: Alternative[][];

  constructor(
    claims: readonly OpenClaim[],
    node: NodeView,
    pools: readonly ReachedPool[],
    deps: AllocatorDeps,
    budget: SearchBudget,
  ) {
    this.claims = claims;
    this.node = node;
    this.pools = pools;
    this.devices = pools.flatMap(({ devices }) => devices);
    this.deps = deps;
    this.budget = budget;
    this.counters = new SharedCounters(deps.allocated);
    this.used = claims.map(() => []);
  }

  run(): Allocation[] | null {
    this.claims.forEach(({ wanted }, claim) => {
      for (const { alternatives } of wanted) for (const one of alternatives) this.findAll(claim, one);
    });
    if (!this.satisfyRequest(0, 0)) return null;
    return this.claims.map(({ claim }, index) =>
      allocationOf(claim, this.used[index]!, this.foundFor(index), this.node),
    );
  }

  private foundFor(claim: number): Chosen[] {
    return this.chosen.filter((one) => one.claim === claim);
  }

  /** Who wants all of the devices has to know all of them. */
  private findAll(claim: number, alternative: Alternative): void {
    if (alternative.asked.allocationMode !== 'All') return;
    for (const { pool, problem } of this.pools) {
      if (problem === null) continue;
      const which = `claim ${this.nameOf(claim)}, request ${alternative.name}`;
      const of = `asks for all devices, but resource pool ${pool.driver}/${pool.name} is currently ${problem}`;
      throw new Impossible(`${which}: ${of}`);
    }
    this.all.set(
      alternative,
      this.devices.filter((pooled) => this.isSelected(claim, alternative, pooled)),
    );
  }

  private nameOf(claim: number): string {
    const { namespace, name } = this.claims[claim]!.claim.metadata;
    return `${namespace}/${name}`;
  }

  private isSelected(claim: number, { asked, class: ofClass }: Alternative, pooled: PooledDevice): boolean {
    return (
      this.isMatched(`class ${ofClass.metadata.name}`, ofClass.spec.selectors, pooled) &&
      this.isMatched(`claim ${this.nameOf(claim)}`, asked.selectors, pooled)
    );
  }

  private isMatched(whose: string, expressions: Selectors = [], { device, pool }: PooledDevice): boolean {
    return expressions.every(({ cel }, index) => {
      const answer = this.deps.selectors.answer(cel?.expression ?? '', pool.driver, device);
      if (typeof answer === 'boolean') return answer;
      const what = answer instanceof CompileError ? 'compile' : 'runtime';
      throw new Impossible(`${whose}: selector #${index}: CEL ${what} error: ${answer.message}`);
    });
  }

  private satisfyRequest(claim: number, request: number): boolean {
    const open = this.claims[claim];
    if (!open) return true;
    const wanted = open.wanted[request];
    if (!wanted) return this.satisfyRequest(claim + 1, 0);
    const used = this.used[claim]!;
    return wanted.alternatives.some((alternative) => {
      used.push(alternative);
      const isDone = this.satisfy(claim, request, alternative);
      if (!isDone) used.pop();
      return isDone;
    });
  }

  private satisfy(claim: number, request: number, alternative: Alternative): boolean {
    const all = this.all.get(alternative);
    const needed = all?.length ?? Number(alternative.asked.count ?? 1);
    const goOn = (): boolean => this.satisfyRequest(claim, request + 1);
    if (needed === 0 || this.foundFor(claim).length + needed > DEVICES_MAX) return false;
    return all
      ? this.takeAll(claim, alternative, all, goOn)
      : this.takeSome(claim, alternative, { from: 0, needed }, goOn);
  }

  private takeAll(claim: number, alternative: Alternative, all: readonly PooledDevice[], goOn: () => boolean): boolean {
    let taken = 0;
    while (taken < all.length && this.take(claim, alternative, all[taken]!)) taken += 1;
    if (taken === all.length && goOn()) return true;
    for (; taken > 0; taken -= 1) this.giveBack();
    return false;
  }

  /** Looks at each set of devices once, whatever the order in which they could be taken. */
  private takeSome(
    claim: number,
    alternative: Alternative,
    { from, needed }: { from: number; needed: number },
    goOn: () => boolean,
  ): boolean {
    if (needed === 0) return goOn();
    const failed = new Set<string>();
    for (let at = from; at < this.devices.length; at += 1) {
      const pooled = this.devices[at]!;
      const { device, slice, id } = pooled;
      const isShareable = device.allowMultipleAllocations === true;
      // Whoever has admin access may have owned ones, too; others, later, may not.
      const isOwned = this.deps.allocated.isOwned(id);
      const kind = isShareable ? null : `${slice.metadata.name} ${isOwned} ${kindOf(device)}`;
      if (kind !== null && failed.has(kind)) continue;
      if (!this.take(claim, alternative, pooled)) continue;
      const next = { from: isShareable ? at : at + 1, needed: needed - 1 };
      if (this.takeSome(claim, alternative, next, goOn)) return true;
      this.giveBack();
      if (kind !== null) failed.add(kind);
    }
    return false;
  }

  /** Whether the device can be had, beside all that is chosen; if so, it is. */
  private take(claim: number, alternative: Alternative, pooled: PooledDevice): boolean {
    this.budget.steps -= 1;
    if (this.budget.steps < 0) throw new Impossible('timed out trying to allocate devices');
    const { device, id } = pooled;
    const { asked } = alternative;
    const isShareable = device.allowMultipleAllocations === true;
    if (!isShareable && this.isInUse(claim, pooled, asked.adminAccess === true)) return false;
    if (!this.isSelected(claim, alternative, pooled)) return false;
    if (isRepelled(device, asked.tolerations)) return false;
    const consumes = capacityTaken(device, asked.capacity?.requests, this.consumed(id));
    if (!consumes) return false;
    const one: Chosen = {
      claim,
      request: alternative.name,
      pooled,
      from: alternative,
      consumes: isShareable ? consumes : null,
    };
    const mine = this.foundFor(claim);
    const { constraints = [] } = this.claims[claim]!.claim.spec.devices ?? {};
    if (!constraints.every((constraint) => satisfies(constraint, one, mine))) return false;
    const isFirstShare = !isShareable || !this.isSharedAlready(id);
    if (isFirstShare && !this.counters.take(pooled)) return false;
    this.chosen.push(one);
    return true;
  }

  private giveBack(): void {
    const { pooled, consumes } = this.chosen.pop()!;
    if (consumes === null || !this.isSharedAlready(pooled.id)) this.counters.giveBack(pooled);
  }

  /** Whoever has admin access minds only its own claim. */
  private isInUse(claim: number, { id }: PooledDevice, hasAdminAccess: boolean): boolean {
    if (hasAdminAccess) return this.chosen.some((one) => one.claim === claim && one.pooled.id === id);
    return this.deps.allocated.isOwned(id) || this.chosen.some(({ pooled }) => pooled.id === id);
  }

  private isSharedAlready(id: string): boolean {
    return this.deps.allocated.isShared(id) || this.chosen.some(({ pooled }) => pooled.id === id);
  }

  private consumed(id: string): Capacity {
    const before = this.deps.allocated.consumed(id);
    const shares = this.chosen.filter(({ pooled, consumes }) => pooled.id === id && consumes);
    if (shares.length === 0) return before;
    const sum = new Map(before);
    for (const { consumes } of shares) {
      for (const [name, { nano }] of consumes!) sum.set(name, (sum.get(name) ?? 0n) + nano);
    }
    return sum;
  }
}

/**
 * Finds devices for all of the claims on a node: in the order of the claims and their requests, the first that do. Says
 * why there are none otherwise, in kube-scheduler's words. Deterministic.
 */
export function allocate(
  claims: readonly OpenClaim[],
  node: NodeView,
  pools: readonly ReachedPool[],
  deps: AllocatorDeps,
  budget: SearchBudget,
): readonly Allocation[] | string {
  try {
    const found = new Search(claims, node, pools, deps, budget).run();
    if (found) return found;
    const isInvalid = pools.some(({ problem }) => problem === 'invalid');
    return isInvalid ? 'invalid resource pools were encountered' : 'cannot allocate all claims';
  } catch (error) {
    if (error instanceof Impossible) return error.message;
    throw error;
  }
}
