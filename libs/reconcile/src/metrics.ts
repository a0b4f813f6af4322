import type { Counter, Gauge, Histogram, Metrics } from '@periplus/component';

/** What the controllers of a process count, named as in Kubernetes where it has the same. */
export interface ReconcileMetrics {
  depth: Gauge;
  adds: Counter;
  retries: Counter;
  waitedSeconds: Histogram;
  workSeconds: Histogram;
  /** Labels: controller and result (done, refused, unknown, error). */
  reconciles: Counter;
  commands: Counter;
}

export const reconcileMetrics = (metrics: Metrics): ReconcileMetrics => ({
  depth: metrics.gauge('workqueue_depth', 'Keys waiting in line.'),
  adds: metrics.counter('workqueue_adds_total', 'Keys taken from the line.'),
  retries: metrics.counter('workqueue_retries_total', 'Keys put back after a failure.'),
  waitedSeconds: metrics.histogram('workqueue_queue_duration_seconds', 'How long a key stood in line.'),
  workSeconds: metrics.histogram('workqueue_work_duration_seconds', 'From taking a key to being done with it.'),
  reconciles: metrics.counter('controller_reconcile_total', 'Reconciles by controller and result.'),
  commands: metrics.counter('controller_commands_total', 'Commands that were sent, by controller.'),
});
