import { namespace as namespaceKind, pod, type ReplicaSet, replicaSet } from '@periplus/api';
import { controllerOf, type DeepReadonly } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import { defineController, idle, type Plan, type PlannedEvent } from '@periplus/reconcile';
import { childNames } from '../child-names.ts';
import { adoptionRule, orphanPods } from '../orphans.ts';
import { claim } from '../ownership.ts';
import { podOfTemplate } from '../pod-of-template.ts';
import { isActive, type PodView } from '../pod-state.ts';
import { selectorOf } from '../selectors.ts';
import { slowStart } from '../slow-start.ts';
import { setStatus } from '../status-change.ts';
import { podsToDelete } from './deletion-order.ts';
import { replicaSetStatus } from './replica-set-status.ts';

type ReplicaSetView = DeepReadonly<ReplicaSet>;

/** Pods that one plan creates or deletes at most. */
const BURST_MAX = 500;

/** Keeps as many pods of a template as asked for. https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/ */
export const replicaSetController = defineController<ReplicaSet>({
  name: 'replicaset',
  for: replicaSet,
  owns: [pod],
  watches: [adoptionRule(pod, replicaSet)],
  indexes: [orphanPods],
  reconcile({ namespace, name }, view) {
    const rs = view.get(replicaSet, namespace, name);
    return rs ? planReplicaSet(rs, view) : idle;
  },
});

function planReplicaSet(rs: ReplicaSetView, view: View): Plan {
  const { namespace = '', uid = '', deletionTimestamp } = rs.metadata;
  const owner = { kind: replicaSet, object: rs, selector: selectorOf(rs.spec.selector) };
  const candidates = [...view.owned(pod, uid), ...view.index(orphanPods, namespace)];
  const { claimed, commands: claims } = claim(owner, pod, candidates);
  const active = claimed.filter(isActive);
  const surplus = active.length - (rs.spec.replicas ?? 1);
  // Creates would be refused, and the set goes with its namespace.
  const isEnding = view.get(namespaceKind, '', namespace)?.metadata.deletionTimestamp !== undefined;
  const mayMove = !deletionTimestamp && !(isEnding && surplus < 0);
  const moves = !mayMove ? [] : surplus < 0 ? creates(rs, -surplus, view) : deletes(rs, active, surplus, view);

  const { status, lookAgainMs } = replicaSetStatus(rs, claimed, null, view.nowMs);
  const steps = [claims, ...(surplus < 0 ? slowStart(moves, BURST_MAX) : [moves])];
  // With pods on their way the counts are old already; the set is looked at again as soon as they are there.
  const hadFailure = rs.status?.conditions?.some(({ type }) => type === 'ReplicaFailure');
  if (moves.length === 0 || hadFailure) steps.push(setStatus(replicaSet, rs, status));
  return {
    steps: steps.filter((step) => step.length > 0),
    lookAgainMs,
    events: moves.flatMap((command) => eventsOf(rs, command)),
    onRefusal(refusals) {
      const refusal = refusals.find(({ command }) => moves.includes(command));
      if (!refusal) return [];
      const reason = refusal.command.verb === 'create' ? 'FailedCreate' : 'FailedDelete';
      const failure = { reason, message: refusal.error.message };
      return setStatus(replicaSet, rs, replicaSetStatus(rs, claimed, failure, view.nowMs).status);
    },
  };
}

function creates(rs: ReplicaSetView, count: number, view: View): Command[] {
  const { namespace = '', name = '', uid, resourceVersion } = rs.metadata;
  const isTaken = (candidate: string): boolean => view.get(pod, namespace, candidate) !== undefined;
  const names = childNames(`${name}-`, `${uid}/${resourceVersion}`, Math.min(count, BURST_MAX), isTaken);
  return names.map((podName) => ({
    verb: 'create',
    kind: pod,
    namespace,
    name: podName,
    object: podOfTemplate(rs, replicaSet, podName, rs.spec.template),
  }));
}

function deletes(rs: ReplicaSetView, active: readonly PodView[], surplus: number, view: View): Command[] {
  if (surplus === 0) return [];
  return podsToDelete(active, familyOf(rs, active, view), Math.min(surplus, BURST_MAX), view.nowMs).map(
    ({ metadata }) => ({
      verb: 'delete',
      kind: pod,
      namespace: metadata.namespace ?? '',
      name: metadata.name ?? '',
      ifUid: metadata.uid,
    }),
  );
}

/** The active pods of all sets with the same owner: of the old and the new sets of a Deployment. */
function familyOf(rs: ReplicaSetView, active: readonly PodView[], view: View): readonly PodView[] {
  const owner = controllerOf(rs);
  if (!owner) return active;
  const sets = view.owned(replicaSet, owner.uid);
  return sets.flatMap((set) => view.owned(pod, set.metadata.uid ?? '').filter(isActive));
}

function eventsOf(rs: ReplicaSetView, command: Command): PlannedEvent[] {
  const creating = command.verb === 'create';
  return [
    {
      about: rs,
      type: 'Normal',
      reason: creating ? 'SuccessfulCreate' : 'SuccessfulDelete',
      message: `${creating ? 'Created' : 'Deleted'} pod: ${command.name}`,
      after: command,
    },
    {
      about: rs,
      type: 'Warning',
      reason: creating ? 'FailedCreate' : 'FailedDelete',
      message: creating ? 'Error creating' : 'Error deleting',
      onRefusalOf: command,
    },
  ];
}
