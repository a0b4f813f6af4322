import { type Job, job as jobKind } from '@periplus/api';
import { conditionOf, parseTime } from '@periplus/apimachinery';
import { defineController, idle } from '@periplus/reconcile';
import type { JobView } from '../job/job-pod.ts';

/** When a Job finished; undefined while it has not. */
function finishedMs({ status }: JobView): number | undefined {
  for (const type of ['Complete', 'Failed']) {
    const condition = conditionOf(status?.conditions, type);
    if (condition?.status === 'True') return parseTime(condition.lastTransitionTime ?? '');
  }
  return undefined;
}

/** Deletes finished Jobs when their time has come. https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/ */
export const ttlAfterFinishedController = defineController<Job>({
  name: 'ttl-after-finished',
  for: jobKind,
  reconcile({ namespace, name }, view) {
    const job = view.get(jobKind, namespace, name);
    const ttlSeconds = job?.spec.ttlSecondsAfterFinished;
    if (!job || ttlSeconds === undefined || job.metadata.deletionTimestamp) return idle;
    const endedMs = finishedMs(job);
    if (endedMs === undefined) return idle;
    const leftMs = endedMs + ttlSeconds * 1000 - view.nowMs;
    if (leftMs > 0) return { steps: [], lookAgainMs: leftMs };
    const { uid, resourceVersion } = job.metadata;
    // On this version only: somebody may just have given it more time.
    const target = { kind: jobKind, namespace, name, ifUid: uid, ifResourceVersion: resourceVersion };
    return { steps: [[{ verb: 'delete', ...target, propagationPolicy: 'Foreground' }]] };
  },
});
