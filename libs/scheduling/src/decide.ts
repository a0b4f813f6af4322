import { fnv1a } from '@periplus/apimachinery';
import { LocalAnswerCache, type LocalAnswers, type NodeRefusal } from './local-answers.ts';
import type { NodeTable } from './node-table.ts';
import type { ClusterChange, ClusterEvent, DynamicFilter, NodeCheck } from './plugin.ts';
import type { PodInfo } from './pod-info.ts';
import type { PodShape } from './pod-shape.ts';
import type { Profile } from './profile.ts';
import { StaticAnswerCache, type StaticAnswers } from './static-answers.ts';

/** Nothing fits. */
export interface Refusal {
  node: null;
  message: string;
  /** The changes of the cluster after which it is worth another look at it. */
  wakesOn: ReadonlySet<ClusterEvent>;
}

export type Decision = { node: string } | Refusal;

/** Below that many nodes all are looked at. https://kubernetes.io/docs/concepts/scheduling-eviction/scheduler-perf-tuning/ */
const FEASIBLE_MIN = 100;
const PERCENT_MIN = 5;

/** How many nodes that fit are enough to choose among: so many percent, or with 0 the fewer the more there are. */
export function feasibleEnough(nodes: number, percent = 0): number {
  if (nodes <= FEASIBLE_MIN) return nodes;
  const share = percent || Math.max(PERCENT_MIN, 50 - Math.floor(nodes / 125));
  return Math.max(FEASIBLE_MIN, Math.floor((nodes * share) / 100));
}

/** A filter that has something against some nodes, ready to be asked about them. */
interface Check {
  readonly filter: DynamicFilter;
  readonly of: NodeCheck;
}

/** One by one, what stands between pods of a shape and a node. */
export interface Inspection {
  /** Whether the node refuses them for what it is, whatever pods leave it. */
  isBeyondHelp(slot: number): boolean;
  /** Why they don't fit for what is left of it now, or for its pods; null when they do. */
  refusal(slot: number): readonly string[] | null;
}

interface KnownRefusal {
  readonly refusal: Refusal;
  readonly loosened: number;
  /** The version of the tallies, where the refusal follows from them: a pod that comes may help as well. */
  readonly moved: number | null;
}

/**
 * Chooses nodes for the pods of one profile. Synchronous, and apart from the place where it goes on looking without
 * memory of its own: the same table and the same pods in the same order give the same decisions. Ties are broken by
 * the pod's uid.
 */
export class Decider {
  readonly profile: Profile;
  private readonly table: NodeTable;
  /** Those that look beyond the node. */
  private readonly wideFilters: readonly DynamicFilter[];
  private readonly allRefusing: readonly DynamicFilter[];
  private readonly answers: StaticAnswerCache;
  private readonly locals: LocalAnswerCache;
  /** What was said last to pods of a shape, good for as long as nothing has loosened. */
  private readonly refusals = new WeakMap<PodShape, KnownRefusal>();
  /** Where the next search starts, so that all nodes are looked at in turn. */
  private nextStart = 0;
  private feasible = new Int32Array(FEASIBLE_MIN);
  private total = new Float64Array(FEASIBLE_MIN);
  private scores = new Float64Array(FEASIBLE_MIN);

  constructor(table: NodeTable, profile: Profile) {
    this.table = table;
    this.profile = profile;
    this.wideFilters = profile.dynamicFilters.filter(({ isLocal }) => !isLocal);
    this.allRefusing = profile.dynamicFilters.filter(({ refusesAll }) => refusesAll);
    this.answers = new StaticAnswerCache(profile, table);
    this.locals = new LocalAnswerCache(profile, table);
  }

  decide({ uid, shape }: PodInfo): Decision {
    const { table, refusals } = this;
    const known = refusals.get(shape);
    if (known?.loosened === table.loosened && (known.moved ?? table.tallies.version) === table.tallies.version) {
      return known.refusal;
    }
    const everywhere = this.refusedEverywhere(shape);
    if (everywhere) {
      refusals.set(shape, { loosened: table.loosened, moved: null, refusal: everywhere });
      return everywhere;
    }
    const answers = this.answers.for(shape.constraints);
    const local = this.locals.for(shape, answers);
    const around = this.checks(shape, this.wideFilters);
    // Where nobody has room, few nodes have changed since the last pod of the shape found that out.
    const isFull = known !== undefined && local.refusals() !== null;
    const count = isFull ? 0 : this.findFeasible(shape, local, around);
    if (count > 0) {
      if (known) refusals.delete(shape);
      const slot = count === 1 ? this.feasible[0]! : this.best(uid, shape, answers, local, count);
      return { node: table.nodes[slot]!.metadata.name! };
    }
    const refusal = this.explain(shape, local, around);
    refusals.set(shape, { loosened: table.loosened, moved: around.length > 0 ? table.tallies.version : null, refusal });
    return refusal;
  }

  private refusedEverywhere(shape: PodShape): Refusal | null {
    const { table } = this;
    for (const { refusesAll, wakesOn } of this.allRefusing) {
      const reason = refusesAll!(shape, table);
      if (reason === null) continue;
      const message = `0/${table.size} nodes are available: ${reason}.`;
      return { node: null, message, wakesOn: new Set(wakesOn) };
    }
    return null;
  }

  /** What has to change of this one node before pods of the shape fit there; null when they do. */
  refusedBy(shape: PodShape, node: string): readonly ClusterEvent[] | null {
    const { table, profile } = this;
    const slot = table.slot(node);
    if (slot === undefined) return ['NodeAdded'];
    const by = this.answers.for(shape.constraints).refusedBy(slot);
    if (by >= 0) return profile.staticFilters[by]!.wakesOn;
    return this.checks(shape).find(({ of }) => of(slot) !== null)?.filter.wakesOn ?? null;
  }

  /**
   * The same after a change there; null also when the change may let pods of the shape fit on other nodes, as pods
   * that seek or shun each other's company do.
   */
  stillRefusedBy(shape: PodShape, change: ClusterChange): readonly ClusterEvent[] | null {
    for (const { wakesOn, reaches } of this.profile.dynamicFilters) {
      if (!reaches || !change.events.some((event) => wakesOn.includes(event))) continue;
      if (reaches(shape, change, this.table)) return null;
    }
    return this.refusedBy(shape, change.node);
  }

  /** The nodes that would take pods of the shape if it were not for one filter. */
  takenBut(shape: PodShape, filter: string): number[] {
    const answers = this.answers.for(shape.constraints);
    const checks = this.checks(
      shape,
      this.profile.dynamicFilters.filter(({ name }) => name !== filter),
    );
    return this.table.slots.filter((slot) => answers.refusedBy(slot) < 0 && passes(checks, slot));
  }

  /** Good until anything changes but pods that come and go; for ever, if the shape does not look around. */
  inspection(shape: PodShape): Inspection {
    const { table } = this;
    const { constraints } = shape;
    const statics = this.answers.for(constraints);
    const lasting = this.profile.dynamicFilters.flatMap(({ prepareLasting }) => prepareLasting?.(shape, table) ?? []);
    const local = this.looksAround(shape) ? null : this.checks(shape);
    return {
      isBeyondHelp: (slot) =>
        constraints.namedNodes?.includes(table.nodes[slot]!.metadata.name!) === false ||
        statics.refusedBy(slot) >= 0 ||
        lasting.some((refuses) => refuses(slot) !== null),
      refusal: (slot) => firstRefusal(local ?? this.checks(shape), slot)?.reasons ?? null,
    };
  }

  /** Whether pods of the shape mind what is on other nodes than their own. */
  looksAround(shape: PodShape): boolean {
    return this.checks(shape, this.wideFilters).length > 0;
  }

  private checks(shape: PodShape, filters = this.profile.dynamicFilters): Check[] {
    const checks: Check[] = [];
    for (const filter of filters) {
      const of = filter.prepare(shape, this.table);
      if (of) checks.push({ filter, of });
    }
    return checks;
  }

  /** Fills `feasible`; returns how many it found. */
  private findFeasible({ constraints }: PodShape, local: LocalAnswers, around: readonly Check[]): number {
    const { table } = this;
    const named = constraints.namedNodes;
    const slots = named === null ? table.slots : slotsOf(named, table);
    const enough = feasibleEnough(slots.length, this.profile.feasiblePercent);
    if (this.feasible.length < enough) {
      this.feasible = new Int32Array(enough);
      this.total = new Float64Array(enough);
      this.scores = new Float64Array(enough);
    }
    const start = named === null ? this.nextStart : 0;
    let count = 0;
    let looked = 0;
    for (; looked < slots.length && count < enough; looked += 1) {
      const slot = slots[(start + looked) % slots.length]!;
      if (local.takes(slot) && passes(around, slot)) this.feasible[count++] = slot;
    }
    if (named === null && slots.length > 0) this.nextStart = (start + looked) % slots.length;
    return count;
  }

  /** The slot with the highest sum of weighted scores; among equals, one chosen by the pod's uid. */
  private best(uid: string, shape: PodShape, answers: StaticAnswers, local: LocalAnswers, count: number): number {
    const { table, profile, feasible, total, scores } = this;
    for (let at = 0; at < count; at += 1) total[at] = local.score(feasible[at]!);
    for (const { score, weight } of profile.dynamicScores) {
      if (score.isLocal || !score.score(shape, table, feasible, count, scores)) continue;
      for (let at = 0; at < count; at += 1) total[at]! += weight * scores[at]!;
    }
    for (let index = 0; index < profile.staticScores.length; index += 1) this.addStatic(index, answers, count);
    let highest = -1;
    let ties = 0;
    for (let at = 0; at < count; at += 1) {
      if (total[at]! > highest) {
        highest = total[at]!;
        ties = 1;
      } else if (total[at] === highest) ties += 1;
    }
    let chosen = fnv1a(Buffer.from(uid)) % ties;
    for (let at = 0; at < count; at += 1) {
      if (total[at] === highest && chosen-- === 0) return feasible[at]!;
    }
    throw new Error('the highest score has gone');
  }

  /** Normalises raw scores to 0..100 by the highest among the nodes, as kube-scheduler does. */
  private addStatic(index: number, answers: StaticAnswers, count: number): void {
    const { score, weight } = this.profile.staticScores[index]!;
    if (answers.saysNothing(index)) return;
    let highest = 0;
    for (let at = 0; at < count; at += 1) highest = Math.max(highest, answers.score(index, this.feasible[at]!));
    // All are alike: it adds the same to each of them.
    if (highest === 0) return;
    for (let at = 0; at < count; at += 1) {
      const share = Math.floor((answers.score(index, this.feasible[at]!) * 100) / highest);
      this.total[at]! += weight * (score.reverse ? 100 - share : share);
    }
  }

  /** Every node's reasons, counted. */
  private explain({ constraints }: PodShape, local: LocalAnswers, around: readonly Check[]): Refusal {
    const { table } = this;
    const wakesOn = new Set<ClusterEvent>(['NodeAdded']);
    if (table.size === 0) return { node: null, message: 'no nodes available to schedule pods', wakesOn };
    const slots = constraints.namedNodes === null ? table.slots : slotsOf(constraints.namedNodes, table);
    // Nodes that say the same mostly share the list that says it.
    const alike = new Map<readonly string[], number>();
    const add = (refusal: NodeRefusal, count: number): void => {
      const nodes = alike.get(refusal.reasons) ?? 0;
      if (nodes === 0) for (const event of refusal.wakesOn) wakesOn.add(event);
      alike.set(refusal.reasons, nodes + count);
    };
    const refusals = around.length === 0 ? local.refusals() : null;
    if (refusals) for (const [refusal, nodes] of refusals) add(refusal, nodes);
    else for (const slot of slots) add(local.refusal(slot) ?? firstRefusal(around, slot)!, 1);
    const counts = new Map<string, number>();
    const count = (reason: string, nodes: number): void => void counts.set(reason, (counts.get(reason) ?? 0) + nodes);
    for (const [reasons, nodes] of alike) for (const reason of reasons) count(reason, nodes);
    if (slots.length < table.size) count(NOT_NAMED, table.size - slots.length);
    return { node: null, message: noneOf(table.size, counts), wakesOn };
  }
}

function firstRefusal(checks: readonly Check[], slot: number): NodeRefusal | null {
  for (const { filter, of } of checks) {
    const reasons = of(slot);
    if (reasons) return { reasons, wakesOn: filter.wakesOn };
  }
  return null;
}

function passes(checks: readonly Check[], slot: number): boolean {
  for (let index = 0; index < checks.length; index += 1) if (checks[index]!.of(slot) !== null) return false;
  return true;
}

/** What nodes were refused for, in kube-scheduler's words. */
export function noneOf(nodes: number, counts: ReadonlyMap<string, number>): string {
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${nodes} nodes are available: ${reasons.join(', ')}.`;
}

/** How kube-scheduler counts the nodes that it did not have to look at. */
const NOT_NAMED = "node(s) didn't satisfy plugin(s) [NodeAffinity]";

function slotsOf(names: readonly string[], table: NodeTable): number[] {
  const slots: number[] = [];
  for (const name of names) {
    const slot = table.slot(name);
    if (slot !== undefined) slots.push(slot);
  }
  return slots;
}
