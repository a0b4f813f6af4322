import { fnv1a } from '@periplus/apimachinery';
import type { NodeTable } from './node-table.ts';
import type { ClusterEvent } from './plugin.ts';
import type { PodInfo } from './pod-info.ts';
import { dynamicFilters, dynamicScores, staticFilters, staticScores } from './profile.ts';
import { StaticAnswerCache, type StaticAnswers } from './static-answers.ts';

export type Decision =
  | { node: string }
  /** Nothing fits. `wakesOn`: the changes after which it is worth another look. */
  | { node: null; message: string; wakesOn: ReadonlySet<ClusterEvent> };

/** Below that many nodes all are looked at. https://kubernetes.io/docs/concepts/scheduling-eviction/scheduler-perf-tuning/ */
const FEASIBLE_MIN = 100;
const PERCENT_MIN = 5;

/** How many nodes that fit are enough to choose among. */
export function feasibleEnough(nodes: number): number {
  if (nodes <= FEASIBLE_MIN) return nodes;
  const percent = Math.max(PERCENT_MIN, 50 - Math.floor(nodes / 125));
  return Math.max(FEASIBLE_MIN, Math.floor((nodes * percent) / 100));
}

/**
 * Chooses nodes. Synchronous, and apart from the place where it goes on looking without memory of its own: the
 * same table and the same pods in the same order give the same decisions. Ties are broken by the pod's uid.
 */
export class Decider {
  private readonly table: NodeTable;
  private readonly answers = new StaticAnswerCache();
  /** Where the next search starts, so that all nodes are looked at in turn. */
  private nextStart = 0;
  private feasible = new Int32Array(FEASIBLE_MIN);
  private total = new Float64Array(FEASIBLE_MIN);

  constructor(table: NodeTable) {
    this.table = table;
  }

  decide(pod: PodInfo): Decision {
    const { table } = this;
    const answers = this.answers.for(pod, table);
    const count = this.findFeasible(pod, answers);
    if (count === 0) return this.explain(pod, answers);
    const slot = count === 1 ? this.feasible[0]! : this.best(pod, answers, count);
    return { node: table.nodes[slot]!.metadata.name! };
  }

  private findFeasible(pod: PodInfo, answers: StaticAnswers): number {
    const { table } = this;
    const { slots } = table;
    const enough = feasibleEnough(slots.length);
    if (this.feasible.length < enough) {
      this.feasible = new Int32Array(enough);
      this.total = new Float64Array(enough);
    }
    let count = 0;
    let looked = 0;
    for (; looked < slots.length && count < enough; looked += 1) {
      const slot = slots[(this.nextStart + looked) % slots.length]!;
      if (answers.refusal(pod, table, slot) !== undefined) continue;
      if (this.hasRoom(pod, slot)) this.feasible[count++] = slot;
    }
    this.nextStart = slots.length > 0 ? (this.nextStart + looked) % slots.length : 0;
    return count;
  }

  private hasRoom(pod: PodInfo, slot: number): boolean {
    for (const plugin of dynamicFilters) if (plugin.filter(pod, this.table, slot)) return false;
    return true;
  }

  /** The slot with the highest sum of weighted scores; among equals, one chosen by the pod's uid. */
  private best(pod: PodInfo, answers: StaticAnswers, count: number): number {
    const { table, feasible, total } = this;
    total.fill(0, 0, count);
    for (const plugin of dynamicScores) {
      for (let at = 0; at < count; at += 1)
        total[at]! += plugin.weight * Math.floor(plugin.score(pod, table, feasible[at]!));
    }
    for (let index = 0; index < staticScores.length; index += 1) this.addStatic(index, answers, count);
    let highest = -1;
    let ties = 0;
    for (let at = 0; at < count; at += 1) {
      if (total[at]! > highest) {
        highest = total[at]!;
        ties = 1;
      } else if (total[at] === highest) ties += 1;
    }
    let chosen = fnv1a(Buffer.from(pod.uid)) % ties;
    for (let at = 0; at < count; at += 1) {
      if (total[at] === highest && chosen-- === 0) return feasible[at]!;
    }
    throw new Error('the highest score has gone');
  }

  /** Normalises raw scores to 0..100 by the highest among the nodes, as kube-scheduler does. */
  private addStatic(index: number, answers: StaticAnswers, count: number): void {
    const { weight, reverse } = staticScores[index]!;
    let highest = 0;
    for (let at = 0; at < count; at += 1) highest = Math.max(highest, answers.score(index, this.feasible[at]!));
    for (let at = 0; at < count; at += 1) {
      const share = highest === 0 ? 0 : Math.floor((answers.score(index, this.feasible[at]!) * 100) / highest);
      this.total[at]! += weight * (reverse ? 100 - share : share);
    }
  }

  /** Asks every node again for its reasons, which is rare. */
  private explain(pod: PodInfo, answers: StaticAnswers): Decision {
    const { table } = this;
    const wakesOn = new Set<ClusterEvent>(['NodeAdded']);
    if (table.size === 0) return { node: null, message: 'no nodes available to schedule pods', wakesOn };
    const counts = new Map<string, number>();
    const count = (reason: string): void => void counts.set(reason, (counts.get(reason) ?? 0) + 1);
    for (const slot of table.slots) {
      const by = answers.refusal(pod, table, slot);
      if (by !== undefined) {
        for (const event of staticFilters[by]!.wakesOn) wakesOn.add(event);
        count(answers.reason(slot));
        continue;
      }
      const refusing = dynamicFilters.find((plugin) => plugin.filter(pod, table, slot));
      for (const event of refusing?.wakesOn ?? []) wakesOn.add(event);
      for (const reason of refusing?.filter(pod, table, slot) ?? []) count(reason);
    }
    const reasons = [...counts].map(([reason, nodes]) => `${nodes} ${reason}`).sort();
    return { node: null, message: `0/${table.size} nodes are available: ${reasons.join(', ')}.`, wakesOn };
  }
}
