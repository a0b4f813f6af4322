import type { Node } from '@periplus/api';
import { type DeepReadonly, parseQuantity } from '@periplus/apimachinery';
import type { HostPort } from './host-ports.ts';
import type { Demand } from './pod-shape.ts';

/** Places that a new table has; it doubles when they are taken. */
const CAPACITY_MIN = 64;

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

/**
 * Every node and what is left of it, as columns of numbers: a filter or score that looks at thousands of nodes
 * walks arrays. A node has a slot for as long as it stands; `version` of a slot changes whenever its node object
 * does, so that answers which follow from the object alone can be kept.
 */
export class NodeTable implements Record<ColumnName, Column> {
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
  private readonly slotOf = new Map<string, number>();
  private readonly free: number[] = [];
  /** By node name, then by uid; also of nodes that are not there (yet), whose pods count as soon as they are. */
  private readonly podsOf = new Map<string, Map<string, Demand>>();
  private readonly nodeOfPod = new Map<string, string>();
  private versions = 0;

  get size(): number {
    return this.slots.length;
  }

  slot(name: string): number | undefined {
    return this.slotOf.get(name);
  }

  /** Adds a node or takes its new state. */
  setNode(node: DeepReadonly<Node>): void {
    const name = node.metadata.name!;
    const slot = this.slotOf.get(name) ?? this.newSlot(name);
    this.nodes[slot] = node;
    this.versions += 1;
    this.version[slot] = this.versions;
    this.setAllocatable(slot, node.status?.allocatable ?? {});
    this.loosened += 1;
  }

  removeNode(name: string): void {
    const slot = this.slotOf.get(name);
    if (slot === undefined) return;
    this.slotOf.delete(name);
    this.slots.splice(this.slots.indexOf(slot), 1);
    this.nodes[slot] = null;
    this.free.push(slot);
    this.loosened += 1;
  }

  /**
   * Counts a pod on a node, once, however often it is told; a pod moves, or takes more or less, when that is told.
   * Returns whether it was news.
   */
  place(uid: string, demand: Demand, node: string): boolean {
    const before = this.nodeOfPod.get(uid);
    if (before === node && this.podsOf.get(node)!.get(uid) === demand) return false;
    if (before !== undefined) this.displace(uid);
    this.nodeOfPod.set(uid, node);
    let pods = this.podsOf.get(node);
    if (!pods) {
      pods = new Map();
      this.podsOf.set(node, pods);
    }
    pods.set(uid, demand);
    const slot = this.slotOf.get(node);
    if (slot !== undefined) this.count(slot, demand, 1);
    return true;
  }

  /** Takes a pod away from wherever it counts. Returns the name of that node. */
  displace(uid: string): string | undefined {
    const node = this.nodeOfPod.get(uid);
    if (node === undefined) return undefined;
    const pods = this.podsOf.get(node)!;
    const demand = pods.get(uid)!;
    this.nodeOfPod.delete(uid);
    pods.delete(uid);
    if (pods.size === 0) this.podsOf.delete(node);
    const slot = this.slotOf.get(node);
    if (slot !== undefined) this.count(slot, demand, -1);
    this.loosened += 1;
    return node;
  }

  nodeOf(uid: string): string | undefined {
    return this.nodeOfPod.get(uid);
  }

  private newSlot(name: string): number {
    const slot = this.free.pop() ?? this.nodes.length;
    this.ensureCapacity(slot + 1);
    this.slotOf.set(name, slot);
    this.slots.push(slot);
    for (const column of COLUMNS) this[column][slot] = 0;
    this.requestedOthers[slot] = null;
    this.hostPorts[slot] = null;
    for (const demand of this.podsOf.get(name)?.values() ?? []) this.count(slot, demand, 1);
    return slot;
  }

  private count(slot: number, demand: Demand, sign: 1 | -1): void {
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
  }
}
