import type { Node } from '@periplus/api';
import { type DeepReadonly, deepEqual, parseQuantity } from '@periplus/apimachinery';
import { DeviceCatalog } from './devices/device-catalog.ts';
import type { HostPort } from './host-ports.ts';
import { ImageTable } from './image-table.ts';
import { type Footprint, sameFootprint } from './pod-shape.ts';
import { Tallies } from './tallies.ts';
import type { LabelledNodes } from './topology.ts';
import { VolumeCatalog } from './volumes/volume-catalog.ts';
import { WorkloadSelectors } from './workload-selectors.ts';

/** Places that a new table has; it doubles when they are taken. */
const CAPACITY_MIN = 64;
/** Changes of which it is remembered which node changed; a power of two. */
const CHANGES_MAX = 4_096;

/** Where a pod counts, and as what. */
interface PlacedPod {
  readonly node: string;
  readonly pod: Footprint;
}

const NO_PODS: ReadonlyMap<string, Footprint> = new Map();

/** One number per node. */
type Column = Float64Array<ArrayBuffer>;

const COLUMNS = [
  'allocatableCpu',
  'allocatableMemory',
  'allocatableStorage',
  'allocatablePods',
  'requestedCpu',
  'requestedMemory',
  'requestedStorage',
  'scoredCpu',
  'scoredMemory',
  'pods',
] as const;
type ColumnName = (typeof COLUMNS)[number];

type NodeState = DeepReadonly<Node>;

/** In what domains are made of, and which nodes count for them. */
const sameLabels = (a: NodeState, b: NodeState): boolean =>
  deepEqual(a.metadata.labels, b.metadata.labels) && deepEqual(a.spec.taints ?? [], b.spec.taints ?? []);

/**
 * Every node and what is left of it, as columns of numbers: a filter or score that looks at thousands of nodes
 * walks arrays. A node has a slot for as long as it stands; `version` of a slot changes whenever its node object
 * does, `state` also whenever a pod comes or goes, so that answers which follow from these alone can be kept.
 */
export class NodeTable implements LabelledNodes, Record<ColumnName, Column> {
  allocatableCpu = new Float64Array(CAPACITY_MIN);
  allocatableMemory = new Float64Array(CAPACITY_MIN);
  allocatableStorage = new Float64Array(CAPACITY_MIN);
  allocatablePods = new Float64Array(CAPACITY_MIN);
  requestedCpu = new Float64Array(CAPACITY_MIN);
  requestedMemory = new Float64Array(CAPACITY_MIN);
  requestedStorage = new Float64Array(CAPACITY_MIN);
  /** Requests with the small amounts that scores assume for containers without any. */
  scoredCpu = new Float64Array(CAPACITY_MIN);
  scoredMemory = new Float64Array(CAPACITY_MIN);
  pods = new Float64Array(CAPACITY_MIN);
  version = new Float64Array(CAPACITY_MIN);
  state = new Float64Array(CAPACITY_MIN);
  /** Null where a slot is free. */
  readonly nodes: (DeepReadonly<Node> | null)[] = [];
  /** Allocatable amounts of extended resources, where a node has any. */
  readonly allocatableOthers: (ReadonlyMap<string, number> | null)[] = [];
  readonly requestedOthers: (Map<string, number> | null)[] = [];
  readonly hostPorts: (HostPort[] | null)[] = [];
  /** Slots of the nodes, in the order in which they are looked at. */
  readonly slots: number[] = [];
  /** Changes whenever a pod that no node could take might fit, or be refused in other words. */
  loosened = 0;
  relabelled = 0;
  /** The pods that are on nodes, as other pods see them. */
  readonly tallies = new Tallies(this);
  readonly images = new ImageTable();
  readonly workloads = new WorkloadSelectors();
  readonly volumes = new VolumeCatalog();
  readonly devices = new DeviceCatalog();
  private readonly slotOf = new Map<string, number>();
  private readonly free: number[] = [];
  /** By node name, then by uid; also of nodes that are not there (yet), whose pods count as soon as they are. */
  private readonly podsOf = new Map<string, Map<string, Footprint>>();
  private readonly nodeOfPod = new Map<string, string>();
  /** How often any state has changed. */
  changes = 0;
  private readonly changedSlots = new Int32Array(CHANGES_MAX);
  /** How many pods there are on nodes, by priority. */
  private readonly priorities = new Map<number, number>();

  get size(): number {
    return this.slots.length;
  }

  get capacity(): number {
    return this.version.length;
  }

  slot(name: string): number | undefined {
    return this.slotOf.get(name);
  }

  /** Whether any pod on a node is less important. */
  hasBelow(priority: number): boolean {
    for (const known of this.priorities.keys()) if (known < priority) return true;
    return false;
  }

  /** The slots whose state may differ from what it was after so many changes, some repeatedly; null: too many to tell. */
  changedSince(changes: number): number[] | null {
    if (this.changes - changes > CHANGES_MAX) return null;
    const slots: number[] = [];
    for (let at = changes + 1; at <= this.changes; at += 1) slots.push(this.changedSlots[at % CHANGES_MAX]!);
    return slots;
  }

  /** Runs what leaves the node and its pods as they were: what is known of the nodes stays good. */
  trial<T>(slot: number, run: () => T): T {
    const { loosened } = this;
    const state = this.state[slot]!;
    try {
      return run();
    } finally {
      this.loosened = loosened;
      this.state[slot] = state;
    }
  }

  /** Adds a node or takes its new state. */
  setNode(node: DeepReadonly<Node>): void {
    const name = node.metadata.name!;
    const known = this.slotOf.get(name);
    const slot = known ?? this.takeSlot(name);
    const before = this.nodes[slot] ?? null;
    this.nodes[slot] = node;
    this.images.setNode(slot, node);
    if (before === null || !sameLabels(before, node)) this.relabelled += 1;
    this.stateChanged(slot);
    this.version[slot] = this.changes;
    this.setAllocatable(slot, node.status?.allocatable ?? {});
    if (known === undefined) for (const pod of this.podsOf.get(name)?.values() ?? []) this.count(slot, pod, 1);
    this.loosened += 1;
  }

  removeNode(name: string): void {
    const slot = this.slotOf.get(name);
    if (slot === undefined) return;
    for (const { peer, claims } of this.podsOf.get(name)?.values() ?? []) {
      this.tallies.add(peer, slot, -1);
      if (claims) this.volumes.use(claims, -1);
    }
    this.images.removeNode(slot);
    this.relabelled += 1;
    this.slotOf.delete(name);
    this.slots.splice(this.slots.indexOf(slot), 1);
    this.nodes[slot] = null;
    this.stateChanged(slot);
    this.free.push(slot);
    this.loosened += 1;
  }

  /**
   * Counts a pod on a node, once, however often it is told; a pod moves, or takes more or less, when that is told.
   * Returns whether it was news.
   */
  place(uid: string, pod: Footprint, node: string): boolean {
    const before = this.nodeOfPod.get(uid);
    if (before === node && sameFootprint(this.podsOf.get(node)!.get(uid)!, pod)) return false;
    if (before !== undefined) this.displace(uid);
    this.nodeOfPod.set(uid, node);
    let pods = this.podsOf.get(node);
    if (!pods) {
      pods = new Map();
      this.podsOf.set(node, pods);
    }
    pods.set(uid, pod);
    this.countPriority(pod.priority, 1);
    const slot = this.slotOf.get(node);
    if (slot !== undefined) this.count(slot, pod, 1);
    return true;
  }

  /** Takes a pod away from wherever it counts, and says where that was. */
  displace(uid: string): PlacedPod | undefined {
    const placed = this.placed(uid);
    if (!placed) return undefined;
    const { node, pod } = placed;
    const pods = this.podsOf.get(node)!;
    this.nodeOfPod.delete(uid);
    pods.delete(uid);
    this.countPriority(pod.priority, -1);
    if (pods.size === 0) this.podsOf.delete(node);
    const slot = this.slotOf.get(node);
    if (slot !== undefined) this.count(slot, pod, -1);
    this.loosened += 1;
    return placed;
  }

  placed(uid: string): PlacedPod | undefined {
    const node = this.nodeOfPod.get(uid);
    return node === undefined ? undefined : { node, pod: this.podsOf.get(node)!.get(uid)! };
  }

  /** The pods on a node by uid, whether the node is there or not. */
  podsOn(node: string): ReadonlyMap<string, Footprint> {
    return this.podsOf.get(node) ?? NO_PODS;
  }

  private stateChanged(slot: number): void {
    this.changes += 1;
    this.state[slot] = this.changes;
    this.changedSlots[this.changes % CHANGES_MAX] = slot;
  }

  private takeSlot(name: string): number {
    const slot = this.free.pop() ?? this.nodes.length;
    this.ensureCapacity(slot + 1);
    this.slotOf.set(name, slot);
    this.slots.push(slot);
    for (const column of COLUMNS) this[column][slot] = 0;
    this.requestedOthers[slot] = null;
    this.hostPorts[slot] = null;
    return slot;
  }

  private count(slot: number, { demand, peer, claims }: Footprint, sign: 1 | -1): void {
    if (claims) this.volumes.use(claims, sign);
    this.tallies.add(peer, slot, sign);
    this.stateChanged(slot);
    this.requestedCpu[slot]! += sign * demand.milliCpu;
    this.requestedMemory[slot]! += sign * demand.memory;
    this.requestedStorage[slot]! += sign * demand.ephemeralStorage;
    this.scoredCpu[slot]! += sign * demand.scoredMilliCpu;
    this.scoredMemory[slot]! += sign * demand.scoredMemory;
    this.pods[slot]! += sign;
    for (const [resource, amount] of demand.others) {
      const requested = this.requestedOthers[slot] ?? new Map<string, number>();
      this.requestedOthers[slot] = requested;
      requested.set(resource, (requested.get(resource) ?? 0) + sign * amount);
    }
    if (demand.hostPorts.length === 0) return;
    const taken = this.hostPorts[slot] ?? [];
    this.hostPorts[slot] = taken;
    // Pods of one shape share these objects: each takes, and gives back, one occurrence.
    if (sign === 1) taken.push(...demand.hostPorts);
    else for (const port of demand.hostPorts) taken.splice(taken.indexOf(port), 1);
  }

  private countPriority(priority: number, by: 1 | -1): void {
    const count = (this.priorities.get(priority) ?? 0) + by;
    if (count > 0) this.priorities.set(priority, count);
    else this.priorities.delete(priority);
  }

  private setAllocatable(slot: number, allocatable: DeepReadonly<Record<string, string | number>>): void {
    let others: Map<string, number> | null = null;
    const amounts = { cpu: 0, memory: 0, 'ephemeral-storage': 0, pods: 0 };
    for (const resource in allocatable) {
      const quantity = parseQuantity(allocatable[resource]!);
      const amount = Number(resource === 'cpu' ? quantity.milliValue() : quantity.value());
      if (Object.hasOwn(amounts, resource)) amounts[resource as keyof typeof amounts] = amount;
      else {
        others ??= new Map<string, number>();
        others.set(resource, amount);
      }
    }
    this.allocatableCpu[slot] = amounts.cpu;
    this.allocatableMemory[slot] = amounts.memory;
    this.allocatableStorage[slot] = amounts['ephemeral-storage'];
    this.allocatablePods[slot] = amounts.pods;
    this.allocatableOthers[slot] = others;
  }

  private ensureCapacity(count: number): void {
    const capacity = this.version.length;
    if (count <= capacity) return;
    const grown = (column: Column): Column => {
      const wider = new Float64Array(capacity * 2);
      wider.set(column);
      return wider;
    };
    for (const column of COLUMNS) this[column] = grown(this[column]);
    this.version = grown(this.version);
    this.state = grown(this.state);
  }
}
