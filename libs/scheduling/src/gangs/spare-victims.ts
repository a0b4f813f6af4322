import type { ClusterPicture } from '../cluster-picture.ts';
import type { Decider } from '../decide.ts';
import type { Placement, PodInfo } from '../pod-info.ts';
import type { Footprint } from '../pod-shape.ts';
import { byImportance, type Victim } from '../preemption/victims.ts';
import { decideGang } from './decide-gang.ts';

/** So many pods are tried elsewhere, which takes about a tenth of a second, before the rest is left as it is. */
const MOVES_MAX = 4_096;

/** A pod that is to go for a gang, and from where. */
export interface Leaving {
  readonly victim: Victim;
  readonly node: string;
  readonly pod: Footprint;
}

/** Where the pods of a gang count, and who does not count any more. */
export interface GangPlan {
  readonly placements: readonly Placement[];
  readonly leaving: readonly Leaving[];
}

/** Whoever is on its way anyway is not to be spared; nor one that may keep pods off other nodes than its own. */
const maySpare = ({ victim, pod }: Leaving): boolean => !victim.isLeaving && pod.peer.requiredAntiAffinity.length === 0;

function byNode<T extends { readonly node: string }>(all: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(one.node, [...(groups.get(one.node) ?? []), one]);
  return groups;
}

const highest = (leaving: readonly Leaving[]): number => Math.max(...leaving.map(({ victim }) => victim.priority));

/**
 * Those who were chosen for one pod of a gang after the other are more than the whole gang needs. Lets a node's victims
 * stay when the pods that were to take their places find others, the most important first; and then each that fits
 * beside the pods that come, those with a budget that has nothing left first. A gang whose pods mind who is on other
 * nodes keeps its plan: each who stays might change all of it. The plan counts on the table before and after.
 */
export function spareVictims(
  plan: GangPlan,
  picture: ClusterPicture,
  deciders: ReadonlyMap<string, Decider>,
): GangPlan {
  const { table, nominations, budgets } = picture;
  const deciderOf = ({ priority, shape }: PodInfo): Decider => {
    nominations.countFor(priority);
    return deciders.get(shape.schedulerName)!;
  };
  const mindsOthers = ({ pod }: Placement): boolean =>
    pod.shape.claims !== null || deciderOf(pod).looksAround(pod.shape);
  if (plan.placements.some(mindsOthers)) return plan;

  const placements = byNode(plan.placements);
  const leave = ({ victim }: Leaving): void => void table.displace(victim.uid);
  const stay = ({ victim, node, pod }: Leaving): void => void table.place(victim.uid, pod, node);

  /** Whether the pods that were to come to the node can all go elsewhere; if not, nothing has changed. */
  const findOthers = (node: string, leaving: readonly Leaving[]): boolean => {
    const comers = placements.get(node)!;
    for (const { pod } of comers) table.displace(pod.uid);
    leaving.forEach(stay);
    const pods = comers.map(({ pod }) => pod);
    const moved = decideGang(pods, pods.length, table, (pod) => deciderOf(pod).decide(pod)).placements;
    if (moved.length === 0) {
      leaving.forEach(leave);
      for (const { pod } of comers) table.place(pod.uid, pod.shape, node);
      return false;
    }
    placements.delete(node);
    for (const one of moved) placements.set(one.node, [...(placements.get(one.node) ?? []), one]);
    return true;
  };

  const fits = ({ pod, node }: Placement): boolean => {
    table.displace(pod.uid);
    const refused = deciderOf(pod).refusedBy(pod.shape, node);
    table.place(pod.uid, pod.shape, node);
    return refused === null;
  };

  let needed = [...byNode(plan.leaving)].sort(([, a], [, b]) => highest(b) - highest(a) || b.length - a.length);
  // Whoever stays may leave room that was not there before.
  for (let [before, moves] = [-1, MOVES_MAX]; needed.length !== before && moves > 0; ) {
    before = needed.length;
    needed = needed.filter(([node, leaving]) => {
      if (moves <= 0 || !leaving.every(maySpare)) return true;
      moves -= placements.get(node)!.length;
      return !findOthers(node, leaving);
    });
  }
  const victims = needed.flatMap(([, leaving]) => leaving).sort((a, b) => byImportance(a.victim, b.victim));
  const violators = budgets.violators(victims.map(({ victim }) => victim));
  const isViolator = ({ victim }: Leaving): boolean => violators.has(victim);
  const inOrder = [...victims.filter(isViolator), ...victims.filter((one) => !isViolator(one))];
  const leaving = inOrder.filter((one) => {
    if (!maySpare(one)) return true;
    stay(one);
    if (placements.get(one.node)!.every(fits)) return false;
    leave(one);
    return true;
  });
  return { placements: [...placements.values()].flat(), leaving };
}
