import { controllerRevision, type DaemonSet, daemonSet, node, pod, sameValue } from '@periplus/api';
import type { View } from '@periplus/cache';
import { defineController, idle, type ObjectRef, watchRule } from '@periplus/reconcile';
import { historyFirst } from '../controller-revision/history-first.ts';
import { type HistoryOwner, markOfHash, REVISION_LABEL } from '../controller-revision/revision-history.ts';
import type { NodeView } from '../node/node-taints.ts';
import { adoptionRule, orphanPods, orphanRevisions } from '../orphans.ts';
import { claim } from '../ownership.ts';
import { selectorOf } from '../selectors.ts';
import { planDaemonSet } from './daemon-set-plan.ts';
import { type DaemonSetView, NOWHERE, placementOf } from './placement.ts';

/** A set on thousands of nodes looks at all of them whenever one of its pods changes: at those of this time together. */
const REST_MS = 100;

const historyOwner = (set: DaemonSetView): HistoryOwner => ({
  kind: daemonSet,
  object: set,
  selector: selectorOf(set.spec.selector),
  hashLabel: REVISION_LABEL,
  mark: markOfHash,
});

/** Sets that a node that came, went or changed has become, or no longer is, a node for. */
function setsFor(now: NodeView | null, old: NodeView | null, view: View): ObjectRef[] {
  if (
    now &&
    old &&
    sameValue(now.metadata.labels, old.metadata.labels) &&
    sameValue(now.spec.taints, old.spec.taints)
  ) {
    return [];
  }
  const before = (set: DaemonSetView) => (old ? placementOf(set, old) : NOWHERE);
  const after = (set: DaemonSetView) => (now ? placementOf(set, now) : NOWHERE);
  return view
    .list(daemonSet)
    .filter((set) => !sameValue(before(set), after(set)))
    .map(({ metadata }) => ({ namespace: metadata.namespace ?? '', name: metadata.name ?? '' }));
}

/** Keeps a pod on each node that it is for. https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/ */
export const daemonSetController = defineController<DaemonSet>({
  name: 'daemonset',
  for: daemonSet,
  owns: [pod, controllerRevision],
  watches: [
    adoptionRule(pod, daemonSet),
    adoptionRule(controllerRevision, daemonSet),
    watchRule(node, (now, old, view) => setsFor(now, old, view)),
  ],
  indexes: [orphanPods, orphanRevisions],
  restMs: REST_MS,
  reconcile({ namespace, name }, view) {
    const set = view.get(daemonSet, namespace, name);
    // What a set that is being deleted owns may be gone already: its counts would say nothing.
    if (!set || set.metadata.deletionTimestamp) return idle;
    const owner = historyOwner(set);
    const { uid = '' } = set.metadata;
    const pods = claim(owner, pod, [...view.owned(pod, uid), ...view.index(orphanPods, namespace)]);
    return historyFirst(owner, pods, view, (first, history) => planDaemonSet(set, pods.claimed, first, history, view));
  },
});
