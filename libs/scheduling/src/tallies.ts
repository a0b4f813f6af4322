import { deepEqual, type Labels } from '@periplus/apimachinery';
import type { Peer } from './peer.ts';
import { Tally, type TallyRule } from './tally.ts';
import { type LabelledNodes, Topology } from './topology.ts';

/**
 * Tallies that are kept up to date, of some 50 KB each with 5,000 nodes; the ones unused for longest go, and are counted
 * anew when they are asked for.
 */
const TALLIES_MAX = 512;
/** Topology keys whose domains are remembered; likewise. */
const TOPOLOGIES_MAX = 64;

/** Placed pods that are alike to others, and what they count in. */
interface Group {
  readonly peer: Peer;
  /** How many there are, by slot. */
  readonly onSlot: Map<number, number>;
  /** How much one of them counts, where that is not 0; null as long as that is nowhere, as there may be many groups. */
  weights: Map<Tally, number> | null;
}

/**
 * The pods that have their nodes, as other pods see them, and tallies of them. Pods that are alike are a group, so that a
 * selector is asked once for all of them; every tally knows its groups and the other way round, which makes coming
 * and going cost as much as there are tallies that mean the pod.
 */
export class Tallies {
  /** Changes whenever a pod comes or goes that some tally means. */
  version = 0;
  private readonly table: LabelledNodes;
  private readonly namespaces = new Map<string, Labels>();
  private readonly groups = new Map<string, Group>();
  /** Those among them that seek or shun company. */
  private readonly choosy = new Set<Group>();
  private readonly tallies = new Map<string, Tally>();
  private readonly topologies = new Map<string, Topology>();
  private shunning = 0;
  private keys: ReadonlySet<string> | null = null;

  constructor(table: LabelledNodes) {
    this.table = table;
  }

  /** The labels of namespaces, for terms that select these. */
  get namespaceLabels(): ReadonlyMap<string, Labels> {
    return this.namespaces;
  }

  /** Takes a namespace's labels; null: it is gone. */
  setNamespace(name: string, labels: Labels | null): void {
    const before = this.namespaces.get(name);
    if (labels && before && deepEqual(labels, before)) return;
    if (labels) this.namespaces.set(name, labels);
    else this.namespaces.delete(name);
    // Who is meant by what may be different now. That is rare, but for new namespaces, whose pods are yet to come.
    if (before || this.hasPodsOf(name)) this.countAnew();
  }

  /** The tally under this key, which must name everything that its rule depends on. Ready to be read. */
  get(key: string, rule: () => TallyRule): Tally {
    const tally = this.tallies.get(key) ?? this.count(rule());
    this.tallies.delete(key);
    this.tallies.set(key, tally);
    if (this.tallies.size > TALLIES_MAX) this.drop(this.tallies.keys().next().value!);
    return tally.refresh();
  }

  /** Whether any pod shuns others by a requirement. */
  get anyShuns(): boolean {
    return this.shunning > 0;
  }

  /** Topology keys in all terms of the pods that there are. */
  get termKeys(): ReadonlySet<string> {
    if (this.keys) return this.keys;
    const keys = new Set<string>();
    for (const { peer } of this.choosy) for (const key of termKeysOf(peer)) keys.add(key);
    this.keys = keys;
    return keys;
  }

  /** A pod comes to a node, or goes. */
  add(peer: Peer, slot: number, sign: 1 | -1): void {
    const group = this.groups.get(peer.text) ?? this.newGroup(peer);
    const count = (group.onSlot.get(slot) ?? 0) + sign;
    if (count > 0) group.onSlot.set(slot, count);
    else group.onSlot.delete(slot);
    if (group.weights) {
      for (const [tally, weight] of group.weights) tally.add(slot, sign * weight);
      this.version += 1;
    }
    if (group.onSlot.size === 0) this.forget(group);
  }

  private newGroup(peer: Peer): Group {
    const group: Group = { peer, onSlot: new Map(), weights: null };
    for (const tally of this.tallies.values()) join(group, tally);
    this.groups.set(peer.text, group);
    if (termKeysOf(peer).length > 0) {
      this.choosy.add(group);
      this.keys = null;
      if (peer.requiredAntiAffinity.length > 0) this.shunning += 1;
    }
    return group;
  }

  private forget(group: Group): void {
    this.groups.delete(group.peer.text);
    if (!this.choosy.delete(group)) return;
    this.keys = null;
    if (group.peer.requiredAntiAffinity.length > 0) this.shunning -= 1;
  }

  private count(rule: TallyRule): Tally {
    const tally = new Tally(rule, this.topology(rule.topologyKey), this.table);
    for (const group of this.groups.values()) {
      const weight = join(group, tally);
      if (weight === 0) continue;
      for (const [slot, count] of group.onSlot) tally.add(slot, count * weight);
    }
    return tally;
  }

  private countAnew(): void {
    this.tallies.clear();
    for (const group of this.groups.values()) group.weights = null;
    this.version += 1;
  }

  private drop(key: string): void {
    const tally = this.tallies.get(key)!;
    this.tallies.delete(key);
    for (const group of this.groups.values()) group.weights?.delete(tally);
  }

  private topology(key: string): Topology {
    const topology = this.topologies.get(key) ?? new Topology(key, this.table);
    this.topologies.delete(key);
    this.topologies.set(key, topology);
    if (this.topologies.size > TOPOLOGIES_MAX) this.topologies.delete(this.topologies.keys().next().value!);
    return topology;
  }

  private hasPodsOf(namespace: string): boolean {
    for (const { peer } of this.groups.values()) if (peer.namespace === namespace) return true;
    return false;
  }
}

/** From now on the group counts for the tally as much as this. */
function join(group: Group, tally: Tally): number {
  const weight = tally.weigh(group.peer);
  if (weight === 0) return 0;
  group.weights ??= new Map();
  group.weights.set(tally, weight);
  return weight;
}

const termKeysOf = ({ requiredAffinity, requiredAntiAffinity, preferences }: Peer): string[] =>
  [...requiredAffinity, ...requiredAntiAffinity, ...preferences.map(({ term }) => term)].map(
    (term) => term.topologyKey,
  );
