import { job as jobKind, type Pod, pod } from '@periplus/api';
import { controllerOf } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import { defineController, idle, mentions, type ObjectRef, watchRule } from '@periplus/reconcile';
import type { PodView } from '../pod-state.ts';
import { isManagedElsewhere } from './job-controller.ts';
import { isTracked, type JobView, releaseOf, TRACKING } from './job-pod.ts';
import { isFinished } from './job-verdict.ts';

/** Whether a pod waits to be counted by nobody: it has no Job any more, or one that counts no more. */
function isForgotten(one: PodView, view: View): boolean {
  const owner = controllerOf(one);
  if (!owner) return true;
  if (owner.kind !== 'Job' || owner.apiVersion !== 'batch/v1') return false;
  const job = view.get(jobKind, one.metadata.namespace ?? '', owner.name);
  if (job?.metadata.uid !== owner.uid) return true;
  return isFinished(job) && !isManagedElsewhere(job);
}

const refOf = ({ metadata }: PodView): ObjectRef => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
});

/** The pods that a Job leaves behind as it goes or finishes. */
function leftBehind(now: JobView | null, old: JobView | null, view: View): ObjectRef[] {
  const left = now === null ? old : isFinished(now) && !(old && isFinished(old)) ? now : null;
  return left
    ? view
        .owned(pod, left.metadata.uid ?? '')
        .filter(isTracked)
        .map(refOf)
    : [];
}

/** Takes the finalizer of Jobs from pods that no Job is going to count. */
export const jobPodReleaseController = defineController<Pod>({
  name: 'job-pod-release',
  for: null,
  watches: [
    watchRule(
      pod,
      (now, _old, view) => (now && isTracked(now) && isForgotten(now, view) ? [refOf(now)] : []),
      (change) => mentions(change, JSON.stringify(TRACKING)),
    ),
    watchRule(jobKind, leftBehind),
  ],
  reconcile({ namespace, name }, view) {
    const one = view.get(pod, namespace, name);
    return one && isTracked(one) && isForgotten(one, view) ? { steps: [[releaseOf(one)]] } : idle;
  },
});
