import { groupBinding, groupUnschedulable } from '../commands.ts';
import type { Decision } from '../decide.ts';
import type { AttemptDeps } from '../pod-attempts.ts';
import type { PodInfo } from '../pod-info.ts';
import type { Waiting } from '../scheduling-queue.ts';
import { decideGang, type GangDecision, gangRefusal } from './decide-gang.ts';
import type { Group } from './pod-groups.ts';
import { preemptForGang } from './preempt-for-gang.ts';

/** The nodes that pods of a gang were promised. */
type Promises = ReadonlyMap<PodInfo, string>;

/** Decides about gangs, each as a whole: binds enough of its pods, has others leave for all of them, or lets it wait. */
export class GangAttempts {
  private readonly deps: AttemptDeps;

  constructor(deps: AttemptDeps) {
    this.deps = deps;
  }

  /** All that fit are bound together, if they are enough; what is left over is tried again later. */
  schedule(waiting: Waiting, gang: Group): void {
    const { metrics, picture, bindings } = this.deps;
    const { groups, table } = picture;
    const started = performance.now();
    const promises = this.withdrawPromises(gang);
    const decide = (pod: PodInfo): Decision => this.decide(pod, promises.get(pod));
    const decision = decideGang(gang.inOrder(), gang.needed, table, decide);
    metrics.decisionSeconds.observe((performance.now() - started) / 1000);
    const { placements } = decision;
    if (placements.length === 0) {
      metrics.attempts(waiting.pod.shape.schedulerName).unschedulable.add();
      this.refused(waiting, gang, decision, promises);
      return;
    }
    for (const { pod } of placements) groups.addPlaced(pod.uid, gang.namespace, gang.name);
    void bindings.bind(waiting, placements, groupBinding(gang, placements), () => this.bound(waiting, gang));
  }

  private withdrawPromises(gang: Group): Promises {
    const { nominations } = this.deps.picture;
    const promises = new Map<PodInfo, string>();
    for (const pod of gang.pending.values()) {
      const node = nominations.nodeOf(pod.uid);
      if (node === undefined) continue;
      promises.set(pod, node);
      nominations.withdraw(pod.uid);
    }
    return promises;
  }

  /** The node that it was promised comes first. */
  private decide(pod: PodInfo, promised: string | undefined): Decision {
    const { picture, deciders } = this.deps;
    picture.nominations.countFor(pod.priority);
    const decider = deciders.get(pod.shape.schedulerName)!;
    if (promised !== undefined && decider.refusedBy(pod.shape, promised) === null) return { node: promised };
    return decider.decide(pod);
  }

  private bound(waiting: Waiting, gang: Group): void {
    const { queue, nowMs } = this.deps;
    gang.said = '';
    if (gang.pending.size === 0) queue.remove(gang.uid);
    else queue.retry(waiting, nowMs());
  }

  /** Others may have to go, for as many of its pods as it takes. */
  private refused(waiting: Waiting, gang: Group, decision: GangDecision, promises: Promises): void {
    const { queue, nowMs, picture, deciders, preemptor, preemptions, deallocations } = this.deps;
    const { pod, refusal } = decision.refused!;
    const message = gangRefusal(gang, decision)!;
    // What lets that pod fit may let the gang.
    waiting.pod = { ...waiting.pod, shape: pod.shape };
    if ([...promises.values()].some((node) => picture.isBeingLeft(node))) {
      for (const [promised, node] of promises) picture.nominations.nominate(promised, node);
      queue.refuse(waiting, refusal.wakesOn, nowMs(), true);
      return;
    }
    const plan = preemptForGang(gang, picture, deciders, preemptor);
    queue.refuse(waiting, refusal.wakesOn, nowMs(), plan !== null);
    if (plan === null) {
      deallocations.help(pod, waiting, deciders.get(pod.shape.schedulerName)!);
      this.tell(waiting, gang, message);
      return;
    }
    for (const { pod, node } of plan.placements) preemptions.promise(pod, node, waiting.cause);
    // What was promised before stood in its way.
    if (plan.preemptions.length === 0) queue.activate(gang.uid, waiting.cause);
    else void preemptions.carryOut(waiting, plan.preemptions, () => this.tell(waiting, gang, message));
  }

  private tell({ cause }: Waiting, gang: Group, message: string): void {
    const { reports, nowMs, picture } = this.deps;
    const members = [...gang.pending.values()];
    const nodes = members.map(({ uid }) => picture.nominations.nodeOf(uid) ?? null);
    const said = JSON.stringify([message, ...nodes]);
    if (gang.said === said) return;
    gang.said = said;
    for (const [at, pod] of members.entries()) {
      reports.notScheduled({ pod, cause }, { reason: 'Unschedulable', message, nominated: nodes[at]! });
    }
    void reports.send(groupUnschedulable(gang, message, nowMs()), cause);
  }
}
