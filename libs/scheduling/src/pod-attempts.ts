import type { ClusterCache } from '@periplus/cache';
import type { Logger } from '@periplus/component';
import type { Bindings } from './bindings.ts';
import type { ClusterPicture } from './cluster-picture.ts';
import { binding, noLongerNominated } from './commands.ts';
import type { Decider, Decision, Refusal } from './decide.ts';
import type { SchedulerMetrics } from './metrics.ts';
import type { PodInfo } from './pod-info.ts';
import type { Evictions } from './preemption/evictions.ts';
import { type Preemptor, withPreemption } from './preemption/preemptor.ts';
import type { Candidate } from './preemption/prospects.ts';
import type { Reports } from './reports.ts';
import type { SchedulingQueue, Waiting } from './scheduling-queue.ts';

export interface PodAttemptsDeps {
  picture: ClusterPicture;
  queue: SchedulingQueue;
  /** By the name under which pods ask for them. */
  deciders: ReadonlyMap<string, Decider>;
  bindings: Bindings;
  preemptor: Preemptor;
  evictions: Evictions;
  reports: Reports;
  cache: Pick<ClusterCache, 'waitFor'>;
  metrics: SchedulerMetrics;
  log: Logger;
  nowMs(): number;
  /** Aborts when the leadership is over. */
  signal: AbortSignal;
}

/** Decides about single pods, one at a time: binds each, has others leave for it, or says why it has to wait. */
export class PodAttempts {
  private readonly deps: PodAttemptsDeps;
  private readonly onDone: () => void;

  /** `onDone`: there is room for more evictions again. */
  constructor(deps: PodAttemptsDeps, onDone: () => void) {
    this.deps = deps;
    this.onDone = onDone;
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
      metrics.attempts.unschedulable.add();
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
    const { picture, deciders, preemptor, queue, reports } = this.deps;
    const { nominations } = picture;
    const { pod } = waiting;
    const nowMs = this.deps.nowMs();
    const decider = deciders.get(pod.shape.schedulerName)!;
    const outcome = nominations.aside(pod.uid, () => preemptor.preempt(pod, decider));
    if (outcome.node !== null) {
      this.promise(waiting, outcome.node);
      queue.refuse(waiting, wakesOn, nowMs, true);
      void this.evict(waiting, outcome, message);
      return;
    }
    if (!outcome.isUnderWay) nominations.withdraw(pod.uid);
    const node = nominations.nodeOf(pod.uid) ?? null;
    queue.refuse(waiting, wakesOn, nowMs, node !== null);
    reports.unschedulable(waiting, withPreemption(message, outcome), node);
  }

  /** Those who were promised the node before, and are less important, have to look elsewhere. */
  private promise({ pod, cause }: Waiting, node: string): void {
    const { picture, queue, reports } = this.deps;
    const { nominations } = picture;
    for (const other of nominations.on(node)) {
      if (other.priority >= pod.priority) continue;
      nominations.withdraw(other.uid);
      queue.activate(other.uid, cause);
      void reports.send(noLongerNominated(other.pod), cause);
    }
    nominations.nominate(pod, node);
  }

  /** Says why it waits only if it has to: victims without grace are gone, and their place taken, before that is written. */
  private async evict(waiting: Waiting, candidate: Candidate, message: string): Promise<void> {
    const { evictions, cache, queue, reports, log, signal } = this.deps;
    const { pod, cause } = waiting;
    try {
      await cache.waitFor(await evictions.evict(pod, cause, candidate), signal);
      if (waiting.state === 'unschedulable') reports.unschedulable(waiting, message, candidate.node);
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ error, node: candidate.node }, 'a pod could not be preempted');
      queue.activate(pod.uid, null);
    }
    this.onDone();
  }
}
