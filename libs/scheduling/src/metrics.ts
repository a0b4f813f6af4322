import type { Gauge, Histogram, Metrics } from '@periplus/component';
import type { QueueState } from './scheduling-queue.ts';

/** How often something came of it. */
interface Occurrences {
  add(amount?: number): void;
}

/** Attempts by what came of them. */
interface Attempts {
  readonly scheduled: Occurrences;
  readonly unschedulable: Occurrences;
  readonly error: Occurrences;
}

/** Registered once per process, however often it leads. */
export interface SchedulerMetrics {
  decisionSeconds: Histogram;
  schedulingSeconds: Histogram;
  /** To schedule pods of the profile of this name. */
  attempts(profile: string): Attempts;
  pendingPods: Gauge;
}

/** Pods may wait for hours. */
const SCHEDULING_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200];

/** Names as kube-scheduler's. https://kubernetes.io/docs/reference/instrumentation/metrics/ */
export function schedulerMetrics(metrics: Metrics): SchedulerMetrics {
  const counter = metrics.counter(
    'scheduler_schedule_attempts_total',
    'Number of attempts to schedule pods, by the result.',
  );
  const known = new Map<string, Attempts>();
  const attempts = (profile: string): Attempts => {
    const before = known.get(profile);
    if (before) return before;
    const [scheduled, unschedulable, error] = ['scheduled', 'unschedulable', 'error'].map((result) =>
      counter.labelled({ result, profile }),
    );
    const made: Attempts = { scheduled: scheduled!, unschedulable: unschedulable!, error: error! };
    known.set(profile, made);
    return made;
  };
  return {
    decisionSeconds: metrics.histogram(
      'scheduler_scheduling_algorithm_duration_seconds',
      'Scheduling algorithm latency in seconds.',
    ),
    schedulingSeconds: metrics.histogram(
      'scheduler_pod_scheduling_sli_duration_seconds',
      'Seconds from when a pod was first seen until it was bound.',
      SCHEDULING_SECONDS,
    ),
    attempts,
    pendingPods: metrics.gauge('scheduler_pending_pods', 'Number of pods that have no node yet, by the queue.'),
  };
}

const QUEUES: readonly QueueState[] = ['active', 'backoff', 'unschedulable'];

/** Lets the gauge count the pods of a queue from now on. */
export function observeQueue({ pendingPods }: SchedulerMetrics, count: (state: QueueState) => number): void {
  for (const queue of QUEUES) pendingPods.observe(() => count(queue), { queue });
}
