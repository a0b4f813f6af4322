import { type Deployment, deployment, pod, replicaSet } from '@periplus/api';
import { controllerOf } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import { defineController, idle, mentions, type ObjectRef, watchRule } from '@periplus/reconcile';
import { adoptionRule, orphansOf } from '../orphans.ts';
import { claim } from '../ownership.ts';
import { hasEnded, type PodView } from '../pod-state.ts';
import { selectorOf } from '../selectors.ts';
import { planRollout } from './rollout.ts';

const orphanReplicaSets = orphansOf(replicaSet);

/** A Deployment that recreates waits for the last pod of its old sets to be gone. */
function recreatersWaitingFor(now: PodView | null, old: PodView | null, view: View): ObjectRef[] {
  const gone = now === null ? old : hasEnded(now) && !(old && hasEnded(old)) ? now : null;
  const setReference = gone ? controllerOf(gone) : undefined;
  if (!gone || setReference?.kind !== 'ReplicaSet') return [];
  const { namespace = '' } = gone.metadata;
  const set = view.get(replicaSet, namespace, setReference.name);
  const owner = set && controllerOf(set);
  if (owner?.kind !== 'Deployment') return [];
  const d = view.get(deployment, namespace, owner.name);
  return d?.spec.strategy?.type === 'Recreate' ? [{ namespace, name: owner.name }] : [];
}

/** Rolls out pod templates. https://kubernetes.io/docs/concepts/workloads/controllers/deployment/ */
export const deploymentController = defineController<Deployment>({
  name: 'deployment',
  for: deployment,
  owns: [replicaSet],
  watches: [
    adoptionRule(replicaSet, deployment),
    watchRule(
      pod,
      recreatersWaitingFor,
      (change) =>
        change.entry.owners.length > 0 &&
        (change.type === 'deleted' || mentions(change, '"phase":"Succeeded"', '"phase":"Failed"')),
    ),
  ],
  indexes: [orphanReplicaSets],
  reconcile({ namespace, name }, view) {
    const d = view.get(deployment, namespace, name);
    if (!d) return idle;
    const owner = { kind: deployment, object: d, selector: selectorOf(d.spec.selector) };
    const candidates = [...view.owned(replicaSet, d.metadata.uid ?? ''), ...view.index(orphanReplicaSets, namespace)];
    const { claimed, commands } = claim(owner, replicaSet, candidates);
    return planRollout(d, claimed, commands, view);
  },
});
