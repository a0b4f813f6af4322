import type { ClusterPicture } from '../cluster-picture.ts';
import type { Decider } from '../decide.ts';
import type { Placement } from '../pod-info.ts';
import type { Footprint } from '../pod-shape.ts';
import type { Preemption } from '../preemption/preemptions.ts';
import type { Preemptor } from '../preemption/preemptor.ts';
import { decideGang } from './decide-gang.ts';
import type { Group } from './pod-groups.ts';

/** Where the pods of a gang are to go, and whom that costs their place. */
export interface GangPreemption {
  readonly placements: readonly Placement[];
  readonly preemptions: readonly Preemption[];
}

/**
 * Whom a gang that finds too few nodes may have leave: one pod after the other takes its place in thought, beside those
 * before it and without those who leave for them. Null, when even then too few have one, or it would cost the gang pods
 * of its own: then nobody leaves. The nodes are left as they were.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/workload-aware-preemption/
 */
export function preemptForGang(
  gang: Group,
  { table, nominations }: ClusterPicture,
  deciders: ReadonlyMap<string, Decider>,
  preemptor: Preemptor,
): GangPreemption | null {
  const preemptions: Preemption[] = [];
  const gone: { uid: string; node: string; pod: Footprint }[] = [];
  const { placements } = decideGang(gang.inOrder(), gang.needed, table, (pod) => {
    nominations.countFor(pod.priority);
    const decider = deciders.get(pod.shape.schedulerName)!;
    const decision = decider.decide(pod);
    if (decision.node !== null) return decision;
    const candidate = preemptor.preempt(pod, decider);
    if (candidate.node === null) return decision;
    preemptions.push({ pod, candidate });
    for (const { uid } of candidate.victims.pods) gone.push({ uid, ...table.displace(uid)! });
    return { node: candidate.node };
  });
  for (const { pod } of placements) table.displace(pod.uid);
  for (const { uid, node, pod } of gone) table.place(uid, pod, node);
  const costsItself = gone.some(({ uid }) => gang.placed.has(uid));
  return placements.length === 0 || costsItself ? null : { placements, preemptions };
}
