import { controllerRevision, persistentVolumeClaim, pod, type StatefulSet, statefulSet } from '@periplus/api';
import type { View } from '@periplus/cache';
import { defineController, idle, type ObjectRef, type Plan, watchRule } from '@periplus/reconcile';
import { historyFirst } from '../controller-revision/history-first.ts';
import type { HistoryOwner } from '../controller-revision/revision-history.ts';
import { adoptionRule, orphanPods, orphanRevisions } from '../orphans.ts';
import { claim } from '../ownership.ts';
import type { PodView } from '../pod-state.ts';
import { selectorOf } from '../selectors.ts';
import { setStatus } from '../status-change.ts';
import { ordinalOf, type StatefulSetView } from './members.ts';
import { setsWithClaim } from './pod-claims.ts';
import { planStatefulSet } from './stateful-set-plan.ts';
import { statefulSetStatus } from './stateful-set-status.ts';

const HASH_LABEL = 'controller.kubernetes.io/hash';

const historyOwner = (set: StatefulSetView): HistoryOwner => ({
  kind: statefulSet,
  object: set,
  selector: selectorOf(set.spec.selector),
  hashLabel: HASH_LABEL,
  mark: ({ metadata }) => metadata.name ?? '',
});

const refOf = ({ metadata }: StatefulSetView): ObjectRef => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
});

/** Keeps pods with lasting names and storage. https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/ */
export const statefulSetController = defineController<StatefulSet>({
  name: 'statefulset',
  for: statefulSet,
  owns: [pod, controllerRevision],
  watches: [
    adoptionRule(pod, statefulSet),
    adoptionRule(controllerRevision, statefulSet),
    // A claim that is gone may be what a pod waited for to be made, or has to be made again itself.
    watchRule(persistentVolumeClaim, (now, old, view) => {
      if (now || !old) return [];
      const { namespace, name = '' } = old.metadata;
      return setsWithClaim(view.list(statefulSet, namespace), name).map(refOf);
    }),
  ],
  indexes: [orphanPods, orphanRevisions],
  reconcile({ namespace, name }, view) {
    const set = view.get(statefulSet, namespace, name);
    if (!set) return idle;
    const owner = historyOwner(set);
    const { uid = '', deletionTimestamp } = set.metadata;
    const candidates = [...view.owned(pod, uid), ...view.index(orphanPods, namespace)];
    const pods = claim(
      owner,
      pod,
      candidates.filter((candidate) => ordinalOf(set, candidate) !== undefined),
    );
    if (deletionTimestamp) return { steps: [statusOnly(set, pods.claimed, view)] };
    return historyFirst(owner, pods, view, (first, history) =>
      planStatefulSet(set, pods.claimed, first, history, view),
    );
  },
});

function statusOnly(set: StatefulSetView, pods: readonly PodView[], { nowMs }: View): Plan['steps'][number] {
  const revisions = { current: set.status?.currentRevision, update: set.status?.updateRevision };
  return setStatus(statefulSet, set, statefulSetStatus(set, pods, revisions, nowMs).status);
}
