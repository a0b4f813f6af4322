import type { NodeTable } from './node-table.ts';
import type { ClusterEvent, DynamicFilter, NodeCheck } from './plugin.ts';
import type { PodShape } from './pod-shape.ts';
import type { Profile } from './profile.ts';
import type { StaticAnswers } from './static-answers.ts';

/** Shapes whose answers are kept; those unused for longest go. */
const KEPT_MAX = 64;

/** Why a node doesn't take pods of a shape. Nodes that say the same share it, so that they are easily counted. */
export interface NodeRefusal {
  readonly reasons: readonly string[];
  readonly wakesOn: readonly ClusterEvent[];
}

/** What a node itself makes of pods of one shape, whatever the pods on other nodes are. */
export interface LocalAnswers {
  /** What follows from the node object alone, which these build on. */
  readonly statics: StaticAnswers;
  /** Why it doesn't take them; null when it does. */
  refusal(slot: number): NodeRefusal | null;
  /** How many nodes refuse them for what; null when any takes them, or that would have to be counted. */
  refusals(): ReadonlyMap<NodeRefusal, number> | null;
  /** Whether no filter that looks at the node alone has anything against it. */
  takes(slot: number): boolean;
  /** The weighted sum of scores that look at the node alone. Only of nodes that take the pod. */
  score(slot: number): number;
}

/** Asks whenever it is asked: for pods that only few nodes could take. */
class AskedAnswers implements LocalAnswers {
  private readonly profile: Profile;
  private readonly table: NodeTable;
  private readonly shape: PodShape;
  readonly statics: StaticAnswers;
  private readonly checks: readonly { filter: DynamicFilter; of: NodeCheck }[];
  /** By filter and reasons. */
  private readonly known = new Map<string, NodeRefusal>();
  private readonly asked = new Int32Array(1);
  private readonly answered = new Float64Array(1);

  constructor(profile: Profile, table: NodeTable, shape: PodShape, statics: StaticAnswers) {
    this.profile = profile;
    this.table = table;
    this.shape = shape;
    this.statics = statics;
    const local = profile.dynamicFilters.filter(({ isLocal }) => isLocal);
    this.checks = local.flatMap((filter) => {
      const of = filter.prepare(shape, table);
      return of ? [{ filter, of }] : [];
    });
  }

  takes(slot: number): boolean {
    return this.statics.refusedBy(slot) < 0 && this.checks.every(({ of }) => of(slot) === null);
  }

  refusal(slot: number): NodeRefusal | null {
    const by = this.profile.staticFilters[this.statics.refusedBy(slot)];
    if (by) return this.shared(by, [by.filter(this.shape.constraints, this.table.nodes[slot]!)!]);
    for (const { filter, of } of this.checks) {
      const reasons = of(slot);
      if (reasons) return this.shared(filter, reasons);
    }
    return null;
  }

  private shared({ name, wakesOn }: Pick<DynamicFilter, 'name' | 'wakesOn'>, reasons: readonly string[]): NodeRefusal {
    const text = `${name} ${reasons.join()}`;
    const refusal = this.known.get(text) ?? { reasons, wakesOn };
    this.known.set(text, refusal);
    return refusal;
  }

  refusals(): null {
    return null;
  }

  score(slot: number): number {
    const { asked, answered } = this;
    asked[0] = slot;
    let sum = 0;
    for (const { score, weight } of this.profile.dynamicScores) {
      if (score.isLocal && score.score(this.shape, this.table, asked, 1, answered)) sum += weight * answered[0]!;
    }
    return sum;
  }
}

/**
 * Asks about a node when it is first looked at, and again when it or what it runs has changed: from one pod to the
 * next of its like, that is the one node that the first has gone to.
 */
class KeptAnswers implements LocalAnswers {
  readonly statics: StaticAnswers;
  private readonly table: NodeTable;
  private readonly source: LocalAnswers;
  /** The state of the node that the answers are about. */
  private state = new Float64Array(0);
  private taking = new Uint8Array(0);
  private refused: (NodeRefusal | null)[] = [];
  private worth = new Float64Array(0);
  /** How many answers are that, and how many that the node takes them. */
  private readonly counts = new Map<NodeRefusal, number>();
  private takers = 0;
  /** Changes of the table after which no answer was out of date; -1: never. */
  private upTo = -1;

  constructor(table: NodeTable, source: LocalAnswers) {
    this.statics = source.statics;
    this.table = table;
    this.source = source;
  }

  takes(slot: number): boolean {
    if (this.state[slot] !== this.table.state[slot]) this.ask(slot);
    return this.taking[slot] === 1;
  }

  refusal(slot: number): NodeRefusal | null {
    if (this.state[slot] !== this.table.state[slot]) this.ask(slot);
    return this.refused[slot]!;
  }

  score(slot: number): number {
    return this.worth[slot]!;
  }

  refusals(): ReadonlyMap<NodeRefusal, number> | null {
    const { table } = this;
    if (this.state.length < table.capacity) this.grow();
    // Also slots whose nodes have gone.
    const changed = (this.upTo < 0 ? null : table.changedSince(this.upTo)) ?? table.nodes.keys();
    for (const slot of changed) if (this.state[slot] !== table.state[slot]) this.ask(slot);
    this.upTo = table.changes;
    return this.takers > 0 ? null : this.counts;
  }

  private ask(slot: number): void {
    if (slot >= this.state.length) this.grow();
    this.uncount(slot);
    this.state[slot] = this.table.state[slot]!;
    // The node has gone.
    if (!this.table.nodes[slot]) return;
    const refusal = this.source.refusal(slot);
    this.refused[slot] = refusal;
    if (refusal === null) {
      this.taking[slot] = 1;
      this.takers += 1;
      this.worth[slot] = this.source.score(slot);
    } else this.counts.set(refusal, (this.counts.get(refusal) ?? 0) + 1);
  }

  private uncount(slot: number): void {
    const refusal = this.refused[slot];
    if (refusal) {
      const count = this.counts.get(refusal)! - 1;
      if (count > 0) this.counts.set(refusal, count);
      else this.counts.delete(refusal);
      this.refused[slot] = null;
    }
    this.takers -= this.taking[slot]!;
    this.taking[slot] = 0;
  }

  /** What was known is asked again. */
  private grow(): void {
    const { capacity } = this.table;
    this.state = new Float64Array(capacity);
    this.taking = new Uint8Array(capacity);
    this.refused = new Array<NodeRefusal | null>(capacity).fill(null);
    this.worth = new Float64Array(capacity);
    this.counts.clear();
    this.takers = 0;
    this.upTo = -1;
  }
}

/** The answers by shape, as many as are worth keeping. */
export class LocalAnswerCache {
  private readonly profile: Profile;
  private readonly table: NodeTable;
  private readonly kept = new Map<PodShape, LocalAnswers>();

  constructor(profile: Profile, table: NodeTable) {
    this.profile = profile;
    this.table = table;
  }

  for(shape: PodShape, statics: StaticAnswers): LocalAnswers {
    const known = this.kept.get(shape);
    const kept = known?.statics === statics ? known : this.make(shape, statics);
    if (shape.constraints.namedNodes !== null) return kept;
    this.kept.delete(shape);
    this.kept.set(shape, kept);
    if (this.kept.size > KEPT_MAX) this.kept.delete(this.kept.keys().next().value!);
    return kept;
  }

  private make(shape: PodShape, statics: StaticAnswers): LocalAnswers {
    const asked = new AskedAnswers(this.profile, this.table, shape, statics);
    return shape.constraints.namedNodes === null ? new KeptAnswers(this.table, asked) : asked;
  }
}
