import type { ClusterPicture } from '../cluster-picture.ts';
import type { Decider } from '../decide.ts';
import type { Placement } from '../pod-info.ts';
import type { Preemption } from '../preemption/evictions.ts';
import type { Preemptor } from '../preemption/preemptor.ts';
import { decideGang } from './decide-gang.ts';
import type { Group } from './pod-groups.ts';
import { type GangPlan, type Leaving, spareVictims } from './spare-victims.ts';

/** Where the pods of a gang are to go, and whom that costs their place. */
export interface GangPreemption {
  readonly placements: readonly Placement[];
  readonly preemptions: readonly Preemption[];
}

/**
 * Whom a gang that finds too few nodes may have leave: one pod after the other takes its place in thought, beside those
 * before it and without those who leave for them, and then all stay whom the gang as a whole does not need to go. Null,
 * when even then too few have one, or it would cost the gang pods of its own: then nobody leaves. The nodes are left as
 * they were. https://kubernetes.io/docs/concepts/scheduling-eviction/workload-aware-preemption/
 */
export function preemptForGang(
  gang: Group,
  picture: ClusterPicture,
  deciders: ReadonlyMap<string, Decider>,
  preemptor: Preemptor,
): GangPreemption | null {
  const { table, nominations } = picture;
  const leaving: Leaving[] = [];
  const { placements } = decideGang(gang.inOrder(), gang.needed, table, (pod) => {
    nominations.countFor(pod.priority);
    const decider = deciders.get(pod.shape.schedulerName)!;
    const decision = decider.decide(pod);
    if (decision.node !== null) return decision;
    const candidate = preemptor.preempt(pod, decider);
    if (candidate.node === null) return decision;
    for (const victim of candidate.victims.pods) leaving.push({ victim, ...table.displace(victim.uid)! });
    return { node: candidate.node };
  });
  const isPossible = placements.length > 0;
  const plan = isPossible ? spareVictims({ placements, leaving }, picture, deciders) : { placements, leaving };
  for (const { pod } of plan.placements) table.displace(pod.uid);
  for (const { victim, node, pod } of plan.leaving) table.place(victim.uid, pod, node);
  const costsItself = plan.leaving.some(({ victim }) => gang.placed.has(victim.uid));
  return isPossible && !costsItself ? { placements: plan.placements, preemptions: preemptionsOf(plan, gang) } : null;
}

function preemptionsOf({ placements, leaving }: GangPlan, { objectUid }: Group): Preemption[] {
  const victimsOn = new Map<string, Leaving['victim'][]>();
  for (const { node, victim } of leaving) victimsOn.set(node, [...(victimsOn.get(node) ?? []), victim]);
  const [first] = placements;
  const { schedulerName } = first!.pod.shape;
  const by = { kind: 'podgroup', uid: objectUid } as const;
  return [...victimsOn].map(([node, victims]) => ({ by, schedulerName, node, victims }));
}
