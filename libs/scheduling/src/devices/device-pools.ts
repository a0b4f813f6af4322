import { matchesRequired } from '@periplus/api';
import { parseQuantity } from '@periplus/apimachinery';
import type { Device, NodeSelector, NodeView, Slice } from './resource-types.ts';

/** `<driver>/<pool>/<device>`; neither the first nor the last part has slashes. */
export const deviceId = (driver: string, pool: string, device: string): string => `${driver}/${pool}/${device}`;

/** A device that a node reaches. */
export interface PooledDevice {
  readonly id: string;
  readonly device: Device;
  readonly slice: Slice;
  readonly pool: Pool;
}

/** What one node reaches of a pool. */
export interface ReachedPool {
  readonly pool: Pool;
  /** Why nothing can be had of it now; null when something can. */
  readonly problem: 'being updated' | 'invalid' | null;
  readonly devices: readonly PooledDevice[];
}

type Place = Pick<Device, 'nodeName' | 'allNodes' | 'nodeSelector'>;

const isAt = ({ nodeName, allNodes, nodeSelector }: Place, node: NodeView): boolean =>
  nodeName ? nodeName === node.metadata.name : allNodes === true || selects(nodeSelector, node);

export const selects = (selector: NodeSelector | undefined, node: NodeView): boolean =>
  selector !== undefined && matchesRequired({ requiredDuringSchedulingIgnoredDuringExecution: selector }, node);

const hasBindingConditions = ({ spec }: Slice): boolean =>
  spec.devices?.some(({ bindingConditions = [] }) => bindingConditions.length > 0) === true;

/** Devices that can be used at once come before those that have to be made ready; otherwise by name. */
const inOrder = (a: Slice, b: Slice): number =>
  Number(hasBindingConditions(a)) - Number(hasBindingConditions(b)) || (a.metadata.name! < b.metadata.name! ? -1 : 1);

type Counters = ReadonlyMap<string, ReadonlyMap<string, bigint>>;

/** By name of the set, then of the counter. Null: two sets have one name. */
function countersOf(slices: readonly Slice[]): Counters | null {
  const sets = new Map<string, ReadonlyMap<string, bigint>>();
  for (const { name, counters } of slices.flatMap(({ spec }) => spec.sharedCounters ?? [])) {
    if (sets.has(name)) return null;
    sets.set(
      name,
      new Map(Object.entries(counters).map(([counter, { value }]) => [counter, parseQuantity(value).nano])),
    );
  }
  return sets;
}

const knows = (counters: Counters, { consumesCounters = [] }: Device): boolean =>
  consumesCounters.every(
    ({ counterSet, counters: consumed }) =>
      counters.has(counterSet) && Object.keys(consumed).every((name) => counters.get(counterSet)!.has(name)),
  );

/**
 * The devices that a driver publishes together, in its newest generation.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/resource-slice-v1/#ResourcePool
 */
export class Pool {
  readonly driver: string;
  readonly name: string;
  readonly slices: readonly Slice[];
  /** What there is of each counter, before anybody takes from it. */
  readonly counters: Counters;
  readonly hasBindingConditions: boolean;
  private readonly problem: ReachedPool['problem'];

  /** Takes all slices of the pool, also outdated ones; at least one. */
  constructor(published: readonly Slice[]) {
    const generation = Math.max(...published.map(({ spec }) => spec.pool.generation));
    this.slices = published.filter(({ spec }) => spec.pool.generation === generation).sort(inOrder);
    const { driver, pool } = this.slices[0]!.spec;
    this.driver = driver;
    this.name = pool.name;
    this.hasBindingConditions = this.slices.some(hasBindingConditions);
    const counters = countersOf(this.slices);
    this.counters = counters ?? new Map();
    const isValid =
      counters && this.slices.every(({ spec }) => spec.devices?.every((one) => knows(counters, one)) ?? true);
    if (this.slices.length !== pool.resourceSliceCount) this.problem = 'being updated';
    else this.problem = isValid ? null : 'invalid';
  }

  /** What the node reaches; null when that is nothing. */
  reachedFrom(node: NodeView): ReachedPool | null {
    const slices = this.slices.filter(({ spec }) =>
      spec.perDeviceNodeSelection ? spec.devices?.some((device) => isAt(device, node)) : isAt(spec, node),
    );
    if (slices.length === 0) return null;
    if (this.problem !== null) return { pool: this, problem: this.problem, devices: [] };
    const devices = slices.flatMap((slice) => this.devicesOf(slice, node));
    const names = slices.flatMap(({ spec }) => spec.devices?.map(({ name }) => name) ?? []);
    const isUnique = slices.length === 1 || new Set(names).size === names.length;
    return isUnique ? { pool: this, problem: null, devices } : { pool: this, problem: 'invalid', devices: [] };
  }

  private devicesOf(slice: Slice, node: NodeView): PooledDevice[] {
    const { devices = [], perDeviceNodeSelection } = slice.spec;
    const reached = perDeviceNodeSelection ? devices.filter((device) => isAt(device, node)) : devices;
    return reached.map((device) => ({ id: deviceId(this.driver, this.name, device.name), device, slice, pool: this }));
  }
}

const poolKey = ({ spec }: Slice): string => `${spec.driver}/${spec.pool.name}`;

const byName = (a: ReachedPool, b: ReachedPool): number =>
  Number(a.pool.hasBindingConditions) - Number(b.pool.hasBindingConditions) ||
  (poolKey(a.pool.slices[0]!) < poolKey(b.pool.slices[0]!) ? -1 : 1);

/** All that is published, by pool. Pools of one node cost other nodes nothing. */
export class DevicePools {
  /** By pool, then by the name of the slice. */
  private readonly published = new Map<string, Map<string, Slice>>();
  /** Of those that did not change since they were last asked about. */
  private readonly pools = new Map<string, Pool>();
  /** How many slices of which pools are for one node; `''`: for any that it selects. */
  private readonly places = new Map<string, Map<string, number>>();

  set(slice: Slice): void {
    const key = poolKey(slice);
    const slices = this.published.get(key) ?? new Map<string, Slice>();
    slices.set(slice.metadata.name!, slice);
    this.published.set(key, slices);
    this.changed(slice, 1);
  }

  delete(slice: Slice): void {
    const key = poolKey(slice);
    const slices = this.published.get(key);
    if (!slices?.delete(slice.metadata.name!)) return;
    if (slices.size === 0) this.published.delete(key);
    this.changed(slice, -1);
  }

  /** In the order in which they are tried. */
  reachedFrom(node: NodeView): ReachedPool[] {
    const keys = new Set(this.places.get(node.metadata.name!)?.keys());
    for (const key of this.places.get('')?.keys() ?? []) keys.add(key);
    return [...keys].flatMap((key) => this.pool(key).reachedFrom(node) ?? []).sort(byName);
  }

  private pool(key: string): Pool {
    const pool = this.pools.get(key) ?? new Pool([...this.published.get(key)!.values()]);
    this.pools.set(key, pool);
    return pool;
  }

  private changed(slice: Slice, by: 1 | -1): void {
    const key = poolKey(slice);
    this.pools.delete(key);
    const place = slice.spec.nodeName ?? '';
    const keys = this.places.get(place) ?? new Map<string, number>();
    const count = (keys.get(key) ?? 0) + by;
    if (count > 0) keys.set(key, count);
    else keys.delete(key);
    if (keys.size > 0) this.places.set(place, keys);
    else this.places.delete(place);
  }
}
