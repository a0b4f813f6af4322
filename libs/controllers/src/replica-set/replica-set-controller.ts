import {
  type Kind,
  pod,
  type ReplicaSet,
  type ReplicationController,
  replicaSet,
  replicationController,
} from '@periplus/api';
import { controllerOf, type DeepReadonly, type Selector, selectorOfLabels } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import { type Controller, defineController, idle, type Plan } from '@periplus/reconcile';
import { childNames } from '../child-names.ts';
import { isNamespaceEnding } from '../ending-namespace.ts';
import { adoptionRule, orphanPods } from '../orphans.ts';
import { claim } from '../ownership.ts';
import { podEvents } from '../pod-events.ts';
import { podOfTemplate } from '../pod-of-template.ts';
import { isActive, type PodView } from '../pod-state.ts';
import { selectorOf } from '../selectors.ts';
import { slowStart } from '../slow-start.ts';
import { setStatus } from '../status-change.ts';
import { podsToDelete } from './deletion-order.ts';
import { type Keeper, replicaSetStatus } from './replica-set-status.ts';

/** How one kind of keeper differs from another. */
interface Keeping<T extends ReplicaSet | ReplicationController> {
  kind: Kind<T>;
  /** Of events. */
  reportsAs: string;
  selectorOf(keeper: DeepReadonly<T>): Selector;
  /** Whether the status has `terminatingReplicas`. */
  countsTerminating: boolean;
}

/** Pods that one plan creates or deletes at most. */
const BURST_MAX = 500;

/** Keeps as many pods of a template as asked for. https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/ */
const podKeeper = <T extends ReplicaSet | ReplicationController>(keeping: Keeping<T>): Controller<T> =>
  defineController<T>({
    name: keeping.kind.kind.toLowerCase(),
    for: keeping.kind,
    owns: [pod],
    watches: [adoptionRule(pod, keeping.kind, keeping.selectorOf)],
    indexes: [orphanPods],
    reportsAs: keeping.reportsAs,
    reconcile({ namespace, name }, view) {
      const keeper = view.get(keeping.kind, namespace, name);
      return keeper ? planPods(keeper, keeping as unknown as Keeping<ReplicaSet>, view) : idle;
    },
  });

export const replicaSetController = podKeeper<ReplicaSet>({
  kind: replicaSet,
  reportsAs: 'replicaset-controller',
  selectorOf: ({ spec }) => selectorOf(spec.selector),
  countsTerminating: true,
});

/** https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller/ */
export const replicationControllerController = podKeeper<ReplicationController>({
  kind: replicationController,
  reportsAs: 'replication-controller',
  selectorOf: ({ spec }) => selectorOfLabels(spec.selector),
  countsTerminating: false,
});

function planPods(keeper: Keeper, keeping: Keeping<ReplicaSet>, view: View): Plan {
  const { namespace = '', uid = '', deletionTimestamp } = keeper.metadata;
  const { kind, countsTerminating } = keeping;
  const owner = { kind, object: keeper, selector: keeping.selectorOf(keeper as DeepReadonly<ReplicaSet>) };
  const candidates = [...view.owned(pod, uid), ...view.index(orphanPods, namespace)];
  const { claimed, commands: claims } = claim(owner, pod, candidates);
  const active = claimed.filter(isActive);
  const surplus = active.length - (keeper.spec.replicas ?? 1);
  const mayMove = !deletionTimestamp && !(surplus < 0 && isNamespaceEnding(view, namespace));
  const moves = !mayMove
    ? []
    : surplus < 0
      ? creates(keeper, kind, -surplus, view)
      : deletes(keeper, kind, active, surplus, view);

  const { status, lookAgainMs } = replicaSetStatus(keeper, claimed, {
    failure: null,
    countsTerminating,
    nowMs: view.nowMs,
  });
  const hadFailure = keeper.status?.conditions?.some(({ type }) => type === 'ReplicaFailure');
  const firstBatch = hadFailure ? 1 : Math.max(1, active.length);
  const steps = [claims, ...(surplus < 0 ? slowStart(moves, BURST_MAX, firstBatch) : [moves])];
  // With pods on their way the counts are old already, and the set is looked at again as soon as they are there. Where
  // that goes on for many plans, others want to know how far it is.
  const goesOn = Math.abs(surplus) > moves.length;
  if (moves.length === 0 || goesOn || hadFailure) steps.push(setStatus(kind, keeper, status));
  return {
    steps: steps.filter((step) => step.length > 0),
    lookAgainMs,
    events: moves.flatMap((command) => podEvents(keeper, command)),
    onRefusal(refusals) {
      const refusal = refusals.find(({ command }) => moves.includes(command));
      if (!refusal) return [];
      const reason = refusal.command.verb === 'create' ? 'FailedCreate' : 'FailedDelete';
      const failure = { reason, message: refusal.error.message };
      const { status } = replicaSetStatus(keeper, claimed, { failure, countsTerminating, nowMs: view.nowMs });
      return setStatus(kind, keeper, status);
    },
  };
}

function creates(keeper: Keeper, kind: Kind, count: number, view: View): Command[] {
  const { namespace = '', name = '', uid, resourceVersion } = keeper.metadata;
  const isTaken = (candidate: string): boolean => view.get(pod, namespace, candidate) !== undefined;
  const names = childNames(`${name}-`, `${uid}/${resourceVersion}`, Math.min(count, BURST_MAX), isTaken);
  return names.map((podName) => ({
    verb: 'create',
    kind: pod,
    namespace,
    name: podName,
    object: podOfTemplate(keeper, kind, podName, keeper.spec.template),
  }));
}

function deletes(keeper: Keeper, kind: Kind, active: readonly PodView[], surplus: number, view: View): Command[] {
  if (surplus === 0) return [];
  return podsToDelete(active, familyOf(keeper, kind, active, view), Math.min(surplus, BURST_MAX), view.nowMs).map(
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
function familyOf(keeper: Keeper, kind: Kind, active: readonly PodView[], view: View): readonly PodView[] {
  const owner = controllerOf(keeper);
  if (!owner) return active;
  const sets = view.owned(kind, owner.uid);
  return sets.flatMap((set) => view.owned(pod, set.metadata.uid ?? '').filter(isActive));
}
