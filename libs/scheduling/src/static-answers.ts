import type { NodeTable } from './node-table.ts';
import type { Constraints } from './pod-shape.ts';
import type { Profile } from './profile.ts';

/** Constraints whose answers are kept; those unused for longest go. */
const KEPT_MAX = 64;
const FITS = -1;

/** What static filters and scores say of the nodes to pods with the same constraints. */
export interface StaticAnswers {
  /** Index of the static filter that refuses the node; -1 when none does. */
  refusedBy(slot: number): number;
  /** Whether a score has given nothing but 0 so far, of all nodes that were asked about. */
  saysNothing(plugin: number): boolean;
  /** Only of nodes that are not refused. */
  score(plugin: number, slot: number): number;
}

const refusal = ({ staticFilters }: Profile, constraints: Constraints, table: NodeTable, slot: number): number =>
  staticFilters.findIndex((plugin) => plugin.filter(constraints, table.nodes[slot]!) !== null);

/** Asks whenever it is asked: for pods that only few nodes could take. */
class AskedAnswers implements StaticAnswers {
  private readonly profile: Profile;
  private readonly constraints: Constraints;
  private readonly table: NodeTable;

  constructor(profile: Profile, constraints: Constraints, table: NodeTable) {
    this.profile = profile;
    this.constraints = constraints;
    this.table = table;
  }

  refusedBy(slot: number): number {
    return refusal(this.profile, this.constraints, this.table, slot);
  }

  saysNothing(): boolean {
    return false;
  }

  score(plugin: number, slot: number): number {
    return this.profile.staticScores[plugin]!.score.score(this.constraints, this.table.nodes[slot]!);
  }
}

/** Asks about a node when it is first looked at, and again when it has changed. */
class KeptAnswers implements StaticAnswers {
  private readonly profile: Profile;
  private readonly constraints: Constraints;
  private readonly table: NodeTable;
  /** The version of the node that the answers are about. */
  private version = new Float64Array(0);
  private refused = new Int8Array(0);
  private scores: Float64Array[] = [];
  private readonly said: boolean[];

  constructor(profile: Profile, constraints: Constraints, table: NodeTable) {
    this.profile = profile;
    this.constraints = constraints;
    this.table = table;
    this.said = profile.staticScores.map(() => false);
  }

  saysNothing(plugin: number): boolean {
    return !this.said[plugin];
  }

  refusedBy(slot: number): number {
    if (this.version[slot] !== this.table.version[slot]) this.ask(slot);
    return this.refused[slot]!;
  }

  score(plugin: number, slot: number): number {
    return this.scores[plugin]![slot]!;
  }

  private ask(slot: number): void {
    const { profile, constraints, table } = this;
    const { staticScores } = profile;
    if (slot >= this.version.length) this.grow(table.version.length);
    this.version[slot] = table.version[slot]!;
    this.refused[slot] = refusal(profile, constraints, table, slot);
    if (this.refused[slot] !== FITS) return;
    for (let index = 0; index < staticScores.length; index += 1) {
      const score = staticScores[index]!.score.score(constraints, table.nodes[slot]!);
      this.scores[index]![slot] = score;
      if (score !== 0) this.said[index] = true;
    }
  }

  /** What was known is asked again. */
  private grow(capacity: number): void {
    this.version = new Float64Array(capacity);
    this.refused = new Int8Array(capacity);
    this.scores = this.profile.staticScores.map(() => new Float64Array(capacity));
  }
}

/** The answers by constraints, as many as are worth keeping. */
export class StaticAnswerCache {
  private readonly profile: Profile;
  private readonly table: NodeTable;
  private readonly kept = new Map<Constraints, KeptAnswers>();

  constructor(profile: Profile, table: NodeTable) {
    this.profile = profile;
    this.table = table;
  }

  for(constraints: Constraints): StaticAnswers {
    if (constraints.namedNodes !== null) return new AskedAnswers(this.profile, constraints, this.table);
    const answers = this.kept.get(constraints) ?? new KeptAnswers(this.profile, constraints, this.table);
    this.kept.delete(constraints);
    this.kept.set(constraints, answers);
    if (this.kept.size > KEPT_MAX) this.kept.delete(this.kept.keys().next().value!);
    return answers;
  }
}
