import type { NodeTable } from '../node-table.ts';
import type { Footprint } from '../pod-shape.ts';
import type { BudgetedPod, DisruptionBudgets } from './disruption-budgets.ts';
import type { PlacedPod, PlacedPods } from './placed-pods.ts';

/** A pod that would have to go. */
export interface Victim extends PlacedPod, BudgetedPod {
  readonly priority: number;
  /** It is being deleted already. */
  readonly isLeaving: boolean;
}

/** Who would have to go from a node. */
export interface Victims {
  /** The most important first; never empty. */
  readonly pods: readonly Victim[];
  /** How many of them go although a budget has nothing left. */
  readonly violations: number;
  /** What it costs to have them go, for comparison. */
  readonly costs: readonly number[];
}

/** The nodes' pods, and what must be known to choose among them. */
export interface Surroundings {
  readonly table: NodeTable;
  readonly placed: PlacedPods;
  readonly budgets: DisruptionBudgets;
}

export const NO_VICTIMS = ['No preemption victims found for incoming pod'];

/** Added to each priority, so that few pods below zero count for less than many. */
const PRIORITY_OFFSET = 2 ** 31;

/** What candidates are compared by, in this order, the less the better; `pods` has the most important one first. */
function costsOf(pods: readonly Victim[], violations: number): readonly number[] {
  const { priority } = pods[0]!;
  const sum = pods.reduce((total, pod) => total + pod.priority + PRIORITY_OFFSET, 0);
  const earliestStart = Math.min(...pods.filter((pod) => pod.priority === priority).map(({ startMs }) => startMs));
  return [violations, priority, sum, pods.length, -earliestStart];
}

/** The most important first. */
export const byImportance = (a: Victim, b: Victim): number => {
  if (a.priority !== b.priority) return b.priority - a.priority;
  // Both Infinity: neither has started.
  if (a.startMs !== b.startMs) return a.startMs - b.startMs;
  return a.uid < b.uid ? -1 : 1;
};

export const isRefusal = (answer: Victims | readonly string[]): answer is readonly string[] => Array.isArray(answer);

/**
 * The fewest pods of lower priority without which the node takes the pod, or why it doesn't even without all of them.
 * All go in thought; those whose going would violate a budget come back first, then the others, the most important
 * ones first, as long as the pod still fits. `refusal` asks the filters about the node as it stands.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/#preemption
 */
export function victimsOn(
  { table, placed, budgets }: Surroundings,
  slot: number,
  priority: number,
  refusal: () => readonly string[] | null,
): Victims | readonly string[] {
  const node = table.nodes[slot]!.metadata.name!;
  const footprints = new Map<Victim, Footprint>();
  for (const [uid, footprint] of table.podsOn(node)) {
    const pod = footprint.priority < priority ? placed.get(uid) : undefined;
    if (!pod) continue;
    const { labels, leaving: isLeaving } = footprint.peer;
    footprints.set({ ...pod, priority: footprint.priority, labels, isLeaving }, footprint);
  }
  if (footprints.size === 0) return NO_VICTIMS;
  return table.trial(slot, () => {
    const gone = new Set([...footprints.keys()].sort(byImportance));
    const comesBack = (pod: Victim): void => {
      table.place(pod.uid, footprints.get(pod)!, node);
      gone.delete(pod);
    };
    for (const { uid } of gone) table.displace(uid);
    try {
      const refused = refusal();
      if (refused) return refused;
      const violators = budgets.violators([...gone]);
      const others = [...gone].filter((pod) => !violators.has(pod));
      for (const pod of [...violators, ...others]) {
        comesBack(pod);
        if (refusal() === null) continue;
        table.displace(pod.uid);
        gone.add(pod);
      }
      const pods = [...gone].sort(byImportance);
      const violations = pods.filter((pod) => violators.has(pod)).length;
      return { pods, violations, costs: costsOf(pods, violations) };
    } finally {
      for (const pod of [...gone]) comesBack(pod);
    }
  });
}
