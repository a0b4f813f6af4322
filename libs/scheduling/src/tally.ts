import type { Peer } from './peer.ts';
import type { LabelledNodes, Topology } from './topology.ts';

/** What is counted. */
export interface TallyRule {
  readonly topologyKey: string;
  /** How much a pod counts; 0 when it is not meant. */
  weigh(peer: Peer): number;
  /** Whether the node's pods count for its domain; asked again when the node has changed. Absent: always. */
  includes?(slot: number): boolean;
}

/**
 * How many pods there are, or how much they weigh, on each node and in each domain of a topology. Kept up to date as
 * pods come and go, so that a decision looks up a number where it would have to look at every pod of the cluster.
 */
export class Tally {
  readonly weigh: TallyRule['weigh'];
  /** Domains that have a node which counts. */
  domains = 0;
  /** The sum of all domains. */
  total = 0;
  private readonly includes: TallyRule['includes'];
  private readonly table: LabelledNodes;
  private readonly topology: Topology;
  private onNode = new Int32Array(0);
  private inDomain = new Int32Array(0);
  private included = new Uint8Array(0);
  /** Domains that count; others are never the least. */
  private counted = new Uint8Array(0);
  private relabelled = -1;
  private least: number | null = null;

  constructor({ weigh, includes }: TallyRule, topology: Topology, table: LabelledNodes) {
    this.weigh = weigh;
    this.includes = includes;
    this.topology = topology;
    this.table = table;
  }

  add(slot: number, weight: number): void {
    if (slot >= this.onNode.length) this.grow();
    this.onNode[slot]! += weight;
    if (this.relabelled !== this.table.relabelled || this.included[slot] === 0) return;
    this.inDomain[this.topology.domainOf[slot]!]! += weight;
    this.total += weight;
    this.least = null;
  }

  /** Takes the state that nodes have now; must come before the numbers are read. */
  refresh(): this {
    const { table, topology } = this;
    if (this.relabelled === table.relabelled) return this;
    this.relabelled = table.relabelled;
    topology.refresh();
    if (this.onNode.length < table.capacity) this.grow();
    this.inDomain = new Int32Array(topology.domains);
    this.counted = new Uint8Array(topology.domains);
    this.included = new Uint8Array(table.capacity);
    this.domains = 0;
    this.total = 0;
    this.least = null;
    for (const slot of table.slots) {
      const domain = topology.domainOf[slot]!;
      if (domain < 0 || this.includes?.(slot) === false) continue;
      this.included[slot] = 1;
      this.inDomain[domain]! += this.onNode[slot]!;
      this.total += this.onNode[slot]!;
      if (this.counted[domain] === 0) this.domains += 1;
      this.counted[domain] = 1;
    }
    return this;
  }

  /** The number of the node's domain; -1 when it has none. */
  domain(slot: number): number {
    return this.topology.domainOf[slot]!;
  }

  /** What the node's domain has; 0 when the node is in none. */
  around(slot: number): number {
    const domain = this.topology.domainOf[slot]!;
    return domain < 0 ? 0 : this.inDomain[domain]!;
  }

  /** What the node itself has, whether it counts for its domain or not. */
  on(slot: number): number {
    return this.onNode[slot]!;
  }

  /** Of the domain that has the least; 0 when there is none. */
  lowest(): number {
    if (this.least !== null) return this.least;
    let least = Number.POSITIVE_INFINITY;
    for (let domain = 0; domain < this.inDomain.length; domain += 1) {
      if (this.counted[domain] === 1 && this.inDomain[domain]! < least) least = this.inDomain[domain]!;
    }
    this.least = least === Number.POSITIVE_INFINITY ? 0 : least;
    return this.least;
  }

  private grow(): void {
    const wider = new Int32Array(this.table.capacity);
    wider.set(this.onNode);
    this.onNode = wider;
  }
}
