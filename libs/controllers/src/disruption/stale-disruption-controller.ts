import { pod } from '@periplus/api';
import { conditionOf, formatTime, parseTime } from '@periplus/apimachinery';
import { type Controller, defineController, idle, mentions, watchRule } from '@periplus/reconcile';
import { patchPodStatus } from '../pod-commands.ts';
import { hasEnded, type PodView } from '../pod-state.ts';

/** So long a pod may be about to be disrupted without being deleted. */
const STALE_AFTER_MS = 2 * 60_000;
/** The reason of kubelets, which may take any time to end a pod. */
const BY_KUBELET = 'TerminationByKubelet';

/** Since when a pod that stays for now is said to be about to go; undefined when it is not. */
function targetedSinceMs(one: PodView): number | undefined {
  const condition = conditionOf(one.status?.conditions, 'DisruptionTarget');
  if (condition?.status !== 'True' || condition.reason === BY_KUBELET) return undefined;
  if (one.metadata.deletionTimestamp || hasEnded(one)) return undefined;
  return parseTime(condition.lastTransitionTime ?? '') ?? 0;
}

/**
 * Takes back what was said of a pod that was to be evicted or preempted, and then was not: whoever said so died, or
 * changed his mind. https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions
 */
export const staleDisruptionController: Controller = defineController({
  name: 'stale-disruption',
  for: null,
  watches: [
    watchRule(
      pod,
      (now) =>
        now && targetedSinceMs(now) !== undefined
          ? [{ namespace: now.metadata.namespace ?? '', name: now.metadata.name ?? '' }]
          : [],
      (change) => mentions(change, '"DisruptionTarget"'),
    ),
  ],
  reconcile({ namespace, name }, view) {
    const target = view.get(pod, namespace, name);
    const sinceMs = target && targetedSinceMs(target);
    if (!target || sinceMs === undefined) return idle;
    const leftMs = sinceMs + STALE_AFTER_MS - view.nowMs;
    if (leftMs > 0) return { steps: [], lookAgainMs: leftMs };
    const condition = {
      ...{ type: 'DisruptionTarget', status: 'False', reason: null, message: null },
      observedGeneration: target.metadata.generation,
      lastTransitionTime: formatTime(view.nowMs),
    };
    // Refused when it was changed since: somebody may have said it anew.
    const ifResourceVersion = target.metadata.resourceVersion;
    return { steps: [[{ ...patchPodStatus(target, { conditions: [condition] }), ifResourceVersion }]] };
  },
});
