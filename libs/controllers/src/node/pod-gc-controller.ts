import { node, pod } from '@periplus/api';
import type { View } from '@periplus/cache';
import { type Controller, defineController, idle, type ObjectRef, watchRule } from '@periplus/reconcile';
import type { PodView } from '../pod-state.ts';
import { podsOnNode } from './node-controller.ts';

function withoutNode(now: PodView | null, old: PodView | null, view: View): ObjectRef[] {
  const name = now?.spec.nodeName;
  if (!name || name === old?.spec.nodeName || view.get(node, '', name)) return [];
  return [{ namespace: '', name }];
}

/**
 * Removes pods of nodes that are not there any more, at once: nobody is left to end them in an orderly way. Views are
 * of one revision, so a node that is missing is gone, not late.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection
 */
export const podGcController: Controller = defineController({
  name: 'pod-garbage-collector',
  for: null,
  watches: [
    watchRule(node, (now, old) => (now === null && old ? [{ namespace: '', name: old.metadata.name ?? '' }] : [])),
    watchRule(pod, withoutNode),
  ],
  indexes: [podsOnNode],
  reconcile({ name }, view) {
    if (view.get(node, '', name)) return idle;
    const lost = view.index(podsOnNode, name);
    if (lost.length === 0) return idle;
    return {
      steps: [
        lost.map(({ metadata }) => ({
          verb: 'delete',
          kind: pod,
          namespace: metadata.namespace ?? '',
          name: metadata.name ?? '',
          ifUid: metadata.uid,
          gracePeriodSeconds: 0,
        })),
      ],
    };
  },
});
