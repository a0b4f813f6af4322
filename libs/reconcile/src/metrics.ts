import type { Metrics } from '@periplus/component';

/** How a look at a key ended. */
export type ReconcileResult = 'done' | 'refused' | 'unknown' | 'error' | 'stopped';

/** What one controller counts. */
export interface ControllerMetrics {
  observeDepth(depth: () => number): void;
  taken(waitedMs: number): void;
  retried(): void;
  sent(commands: number): void;
  finished(result: ReconcileResult, workedMs: number): void;
}

/** Registers the metrics of a process's controllers, named as in Kubernetes where it has the same; gives each its own. */
export function reconcileMetrics(metrics: Metrics): (controller: string) => ControllerMetrics {
  const depth = metrics.gauge('workqueue_depth', 'Keys waiting in line.');
  const taken = metrics.counter('workqueue_adds_total', 'Keys taken from the line.');
  const retries = metrics.counter('workqueue_retries_total', 'Keys put back after a failure.');
  const waited = metrics.histogram('workqueue_queue_duration_seconds', 'How long a key stood in line.');
  const worked = metrics.histogram('workqueue_work_duration_seconds', 'From taking a key to being done with it.');
  const results = metrics.counter('controller_reconcile_total', 'Looks at keys, by controller and result.');
  const commands = metrics.counter('controller_commands_total', 'Commands that were sent, by controller.');
  return (controller) => {
    const name = { name: controller };
    const of = {
      taken: taken.labelled(name),
      retries: retries.labelled(name),
      waited: waited.labelled(name),
      worked: worked.labelled(name),
      commands: commands.labelled({ controller }),
    };
    const result = (label: ReconcileResult) => results.labelled({ controller, result: label });
    const counted: Record<ReconcileResult, ReturnType<typeof result>> = {
      done: result('done'),
      refused: result('refused'),
      unknown: result('unknown'),
      error: result('error'),
      stopped: result('stopped'),
    };
    return {
      observeDepth: (read) => depth.observe(read, name),
      taken(waitedMs) {
        of.taken.add();
        of.waited.observe(waitedMs / 1000);
      },
      retried: () => of.retries.add(),
      sent: (count) => of.commands.add(count),
      finished(label, workedMs) {
        counted[label].add();
        of.worked.observe(workedMs / 1000);
      },
    };
  };
}
