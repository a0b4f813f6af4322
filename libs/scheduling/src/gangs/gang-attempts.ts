import type { Bindings } from '../bindings.ts';
import type { ClusterPicture } from '../cluster-picture.ts';
import { groupBinding, groupUnschedulable } from '../commands.ts';
import type { Decider } from '../decide.ts';
import type { SchedulerMetrics } from '../metrics.ts';
import type { Reports } from '../reports.ts';
import type { SchedulingQueue, Waiting } from '../scheduling-queue.ts';
import { decideGang, type GangDecision, gangRefusal } from './decide-gang.ts';
import type { Group } from './pod-groups.ts';

export interface GangAttemptsDeps {
  picture: ClusterPicture;
  queue: SchedulingQueue;
  /** By the name under which pods ask for them. */
  deciders: ReadonlyMap<string, Decider>;
  bindings: Bindings;
  reports: Reports;
  metrics: SchedulerMetrics;
  nowMs(): number;
}

/** Decides about gangs, each as a whole. */
export class GangAttempts {
  private readonly deps: GangAttemptsDeps;

  constructor(deps: GangAttemptsDeps) {
    this.deps = deps;
  }

  /** All that fit are bound together, if they are enough; what is left over is tried again later. */
  schedule(waiting: Waiting, gang: Group): void {
    const { metrics, picture, deciders, bindings } = this.deps;
    const { nominations, groups } = picture;
    const started = performance.now();
    const decision = decideGang(gang.inOrder(), gang.needed, picture.table, (pod) => {
      nominations.countFor(pod.priority);
      return deciders.get(pod.shape.schedulerName)!.decide(pod);
    });
    metrics.decisionSeconds.observe((performance.now() - started) / 1000);
    const { placements } = decision;
    if (placements.length === 0) {
      this.refused(waiting, gang, decision);
      return;
    }
    for (const { pod } of placements) groups.addPlaced(pod.uid, gang.namespace, gang.name);
    void bindings.bind(waiting, placements, groupBinding(gang, placements), () => this.bound(waiting, gang));
  }

  private bound(waiting: Waiting, gang: Group): void {
    const { queue, nowMs } = this.deps;
    gang.said = '';
    if (gang.pending.size === 0) queue.remove(gang.uid);
    else queue.retry(waiting, nowMs());
  }

  private refused(waiting: Waiting, gang: Group, decision: GangDecision): void {
    const { metrics, queue, reports, nowMs } = this.deps;
    const { pod, refusal } = decision.refused!;
    metrics.attempts.unschedulable.add();
    // What lets that pod fit may let the gang.
    waiting.pod = { ...waiting.pod, shape: pod.shape };
    queue.refuse(waiting, refusal.wakesOn, nowMs());
    const message = gangRefusal(gang, decision)!;
    if (gang.said === message) return;
    gang.said = message;
    const { cause } = waiting;
    for (const member of gang.pending.values()) reports.unschedulable({ pod: member, cause }, message, null);
    void reports.send(groupUnschedulable(gang, message, nowMs()), cause);
  }
}
