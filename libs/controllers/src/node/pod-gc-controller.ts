import { node, pod } from '@periplus/api';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import { type Controller, defineController, idle, mentions, type ObjectRef, watchRule } from '@periplus/reconcile';
import { disruption, patchPodStatus, podTarget } from '../pod-commands.ts';
import { hasEnded, type PodView } from '../pod-state.ts';
import { nodesNamedBy, podsOnNode } from './node-controller.ts';

function withoutNode(now: PodView | null, old: PodView | null, view: View): ObjectRef[] {
  const name = now?.spec.nodeName;
  if (!name || name === old?.spec.nodeName || view.get(node, '', name)) return [];
  return [{ namespace: '', name }];
}

/**
 * Fails and removes pods of nodes that are not there any more, at once: nobody is left to end them in an orderly way. Views are
 * of one revision, so a node that is missing is gone, not late.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection
 */
export const podGcController: Controller = defineController({
  name: 'pod-garbage-collector',
  for: null,
  watches: [
    watchRule(node, (now, old) => (now === null && old ? [{ namespace: '', name: old.metadata.name ?? '' }] : [])),
    watchRule(pod, withoutNode, ({ entry }, view) => nodesNamedBy(entry).some((name) => !view.get(node, '', name))),
  ],
  indexes: [podsOnNode],
  reconcile({ name }, view) {
    if (view.get(node, '', name)) return idle;
    const lost = view.index(podsOnNode, name);
    const why = (one: PodView) => disruption(one, 'DeletionByPodGC', 'PodGC: node no longer exists', view.nowMs);
    const marks = lost
      .filter((one) => !hasEnded(one))
      .map((one) => patchPodStatus(one, { phase: 'Failed', conditions: [why(one)] }));
    const removals = lost.map((one): Command => ({ ...podTarget(one), verb: 'delete', gracePeriodSeconds: 0 }));
    return { steps: [marks, removals].filter((step) => step.length > 0) };
  },
});

const isLeftOver = (one: PodView): boolean =>
  one.metadata.deletionTimestamp !== undefined && !one.spec.nodeName && !hasEnded(one);

/**
 * Fails pods that are being deleted and never came to a node: a finalizer keeps them, and whoever is to take that off,
 * a Job that replaces only what has failed, would wait for their end.
 */
export const unscheduledPodController: Controller = defineController({
  name: 'unscheduled-pod',
  for: null,
  watches: [
    watchRule(
      pod,
      (now) =>
        now && isLeftOver(now) ? [{ namespace: now.metadata.namespace ?? '', name: now.metadata.name ?? '' }] : [],
      (change) => mentions(change, '"deletionTimestamp"'),
    ),
  ],
  reconcile({ namespace, name }, view) {
    const one = view.get(pod, namespace, name);
    return one && isLeftOver(one) ? { steps: [[patchPodStatus(one, { phase: 'Failed' })]] } : idle;
  },
});
