import type { Pod } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { ClusterObserver } from '../cluster-observer.ts';
import { ClusterPicture } from '../cluster-picture.ts';
import { scheduledCondition } from '../commands.ts';
import { Decider, noneOf } from '../decide.ts';
import { decideGang, gangRefusal } from '../gangs/decide-gang.ts';
import type { Group } from '../gangs/pod-groups.ts';
import { preemptForGang } from '../gangs/preempt-for-gang.ts';
import { isGated } from '../plugins/scheduling-gates.ts';
import { podInfo } from '../pod-info.ts';
import { Preemptor, withPreemption } from '../preemption/preemptor.ts';
import type { Victim } from '../preemption/victims.ts';
import type { Profile } from '../profile.ts';
import { SchedulingQueue } from '../scheduling-queue.ts';
import { type NodeVerdict, nodeVerdicts } from './node-verdicts.ts';
import { ReadCluster, type ReadObjects } from './read-cluster.ts';

export interface Explanation {
  /** Where the pod is; null while it is nowhere. */
  readonly node: string | null;
  /** How many nodes take it and why the others don't, in the words of the FailedScheduling event. */
  readonly message: string;
  /**
   * Who would have to leave which node for it, or for its gang. Empty when it has a node, fits on one, or nobody's going
   * would help.
   */
  readonly preemption: readonly { readonly node: string; readonly victims: readonly string[] }[];
  /** Nodes that take the pod first, the best of them at the top; then the others, by name. */
  readonly nodes: readonly NodeVerdict[];
}

/**
 * What a scheduler with these profiles that began now would make of a pod, which is taken to have no node yet; `read`
 * holds all objects of `SCHEDULER_RESOURCES`, the pod among them. Throws when the pod is for none of the profiles. The
 * nodes' order of arrival, and the limit on how many are looked at, which a running scheduler has, play no part.
 */
export function explain(
  pod: DeepReadonly<Pod>,
  read: readonly ReadObjects[],
  profiles: readonly Profile[],
): Explanation {
  const { nodeName, ...spec } = pod.spec;
  const profile = profiles.find(({ schedulerName }) => schedulerName === spec.schedulerName);
  if (!profile) {
    const names = profiles.map(({ schedulerName }) => schedulerName).join(' or ');
    throw new Error(`pod ${pod.metadata.name} is not for ${names}, but for ${spec.schedulerName}`);
  }
  const picture = new ClusterPicture();
  const { table, nominations } = picture;
  const deciders = new Map(profiles.map((each) => [each.schedulerName, new Decider(table, each)]));
  const queue = new SchedulingQueue();
  const nowMs = (): number => 0;
  const observing = { cache: new ReadCluster(read), picture, queue, deciders, volumes: NOBODY, devices: NOBODY, nowMs };
  new ClusterObserver(observing).begin();
  const info = podInfo({ ...pod, spec }, picture.shapes, 0);
  if (nodeName) {
    table.displace(info.uid);
    picture.placed.delete(info.uid);
  }
  nominations.countFor(info.priority);
  return nominations.aside(info.uid, () => {
    const nodes = nodeVerdicts(profile, info.shape, table);
    const decider = deciders.get(profile.schedulerName)!;
    const decision = decider.decide(info);
    const explained = { node: nodeName ?? null, preemption: [], nodes };
    if (!nodeName && profile.holdsGated && isGated(pod))
      return { ...explained, message: scheduledCondition(pod)?.message ?? '' };
    const message = decision.node === null ? decision.message : accepted(nodes);
    const preemptor = new Preemptor(picture);
    const group = nodeName ? undefined : picture.groups.of(info.uid);
    const waiting = group && waitsForOthers(group, picture, deciders, preemptor);
    if (waiting) return { ...explained, ...waiting };
    if (nodeName || decision.node !== null) return { ...explained, message };
    const outcome = preemptor.preempt(info, decider);
    if (outcome.node === null) return { ...explained, message: withPreemption(message, outcome) };
    return { ...explained, message, preemption: [costOf(outcome.node, outcome.victims.pods)] };
  });
}

/** Nothing is waited for. */
const NOBODY = { look() {} };

const costOf = (node: string, victims: readonly Victim[]): Explanation['preemption'][number] => ({
  node,
  victims: victims.map(({ namespace, name }) => `${namespace}/${name}`),
});

function accepted(nodes: readonly NodeVerdict[]): string {
  const counts = new Map<string, number>();
  let taking = 0;
  for (const { refusedBy } of nodes) {
    if (refusedBy === null) taking += 1;
    for (const reason of refusedBy?.reasons ?? []) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  if (taking === nodes.length) return `${taking}/${taking} nodes are available.`;
  return noneOf(nodes.length, counts).replace(/^0/, String(taking));
}

/** Why a pod waits for others of its group, and whom all of them could have leave; null when it doesn't wait. */
function waitsForOthers(
  group: Group,
  picture: ClusterPicture,
  deciders: ReadonlyMap<string, Decider>,
  preemptor: Preemptor,
): Pick<Explanation, 'message'> | Pick<Explanation, 'message' | 'preemption'> | null {
  const { table, nominations } = picture;
  if (!group.policy) {
    return { message: `waiting for pods's pod group ${JSON.stringify(group.name)} to appear in scheduling queue` };
  }
  if (!group.policy.gang) return null;
  if (!group.isReady) return { message: 'waiting for minCount pods from a gang to appear in scheduling queue' };
  for (const uid of group.pending.keys()) nominations.withdraw(uid);
  const decision = decideGang(group.inOrder(), group.needed, table, (member) => {
    nominations.countFor(member.priority);
    return deciders.get(member.shape.schedulerName)!.decide(member);
  });
  const message = gangRefusal(group, decision);
  if (message === null) return null;
  const plan = preemptForGang(group, picture, deciders, preemptor);
  return { message, preemption: (plan?.preemptions ?? []).map(({ node, victims }) => costOf(node, victims)) };
}
