import type { Bindings } from './bindings.ts';
import type { ClusterPicture } from './cluster-picture.ts';
import { binding } from './commands.ts';
import type { Decider, Decision, Refusal } from './decide.ts';
import type { Deallocations } from './devices/deallocations.ts';
import type { SchedulerMetrics } from './metrics.ts';
import type { PodInfo } from './pod-info.ts';
import type { Preemptions } from './preemption/preemptions.ts';
import { type Preemptor, withPreemption } from './preemption/preemptor.ts';
import type { Reports } from './reports.ts';
import type { SchedulingQueue, Waiting } from './scheduling-queue.ts';

/** What it takes to try pods, single ones or gangs. */
export interface AttemptDeps {
  picture: ClusterPicture;
  queue: SchedulingQueue;
  /** By the name under which pods ask for them. */
  deciders: ReadonlyMap<string, Decider>;
  bindings: Bindings;
  preemptor: Preemptor;
  preemptions: Preemptions;
  deallocations: Deallocations;
  reports: Reports;
  metrics: SchedulerMetrics;
  nowMs(): number;
}

/** Decides about single pods, one at a time: binds each, has others leave for it, or says why it has to wait. */
export class PodAttempts {
  private readonly deps: AttemptDeps;

  constructor(deps: AttemptDeps) {
    this.deps = deps;
  }

  schedule(waiting: Waiting): void {
    const { picture, metrics, queue, bindings } = this.deps;
    const { nominations, table } = picture;
    const { pod } = waiting;
    const started = performance.now();
    nominations.countFor(pod.priority);
    const { loosened } = table;
    const promised = nominations.nodeOf(pod.uid);
    const decision = this.decide(pod, promised);
    metrics.decisionSeconds.observe((performance.now() - started) / 1000);
    if (decision.node === null) {
      metrics.attempts(pod.shape.schedulerName).unschedulable.add();
      this.refused(waiting, decision);
      return;
    }
    nominations.withdraw(pod.uid);
    const { node } = decision;
    void bindings.bind(waiting, [{ pod, node }], binding(pod.pod, node), () => queue.remove(pod.uid));
    // It takes the place that counted as its own, so there is no more room than before.
    if (node === promised) table.loosened = loosened;
  }

  /** The node that it was promised comes first. */
  private decide(pod: PodInfo, promised: string | undefined): Decision {
    const { picture, deciders } = this.deps;
    const decider = deciders.get(pod.shape.schedulerName)!;
    if (promised === undefined) return decider.decide(pod);
    return picture.nominations.aside(pod.uid, () =>
      decider.refusedBy(pod.shape, promised) === null ? { node: promised } : decider.decide(pod),
    );
  }

  /** It fits nowhere: others may have to go for it. */
  private refused(waiting: Waiting, { message, wakesOn }: Refusal): void {
    const { picture, deciders, preemptor, preemptions, deallocations, queue, reports } = this.deps;
    const { nominations } = picture;
    const { pod } = waiting;
    const nowMs = this.deps.nowMs();
    const decider = deciders.get(pod.shape.schedulerName)!;
    const claims = deallocations.help(pod, waiting, decider);
    const outcome = nominations.aside(pod.uid, () => preemptor.preempt(pod, decider, claims));
    if (outcome.node !== null) {
      preemptions.promise(pod, outcome.node, waiting.cause);
      queue.refuse(waiting, wakesOn, nowMs, true);
      const { node, victims } = outcome;
      const { schedulerName } = pod.shape;
      const preemption = { by: { kind: 'pod', uid: pod.uid } as const, schedulerName, node, victims: victims.pods };
      const tell = (): void => reports.notScheduled(waiting, { reason: 'Unschedulable', message, nominated: node });
      void preemptions.carryOut(waiting, [preemption], tell);
      return;
    }
    if (!outcome.isUnderWay) nominations.withdraw(pod.uid);
    const node = nominations.nodeOf(pod.uid) ?? null;
    queue.refuse(waiting, wakesOn, nowMs, node !== null);
    const why = withPreemption(message, outcome);
    reports.notScheduled(waiting, { reason: 'Unschedulable', message: why, nominated: node });
  }
}
