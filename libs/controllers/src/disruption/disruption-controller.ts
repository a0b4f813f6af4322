import {
  type KindRegistry,
  type Pod,
  type PodDisruptionBudget,
  pod,
  podDisruptionBudget,
  sameValue,
} from '@periplus/api';
import { type DeepReadonly, formatTime, parseTime, scaledValue, withCondition } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import {
  type Controller,
  defineController,
  idle,
  type ObjectRef,
  type Plan,
  type PlannedEvent,
  watchRule,
} from '@periplus/reconcile';
import { isReady, type PodView } from '../pod-state.ts';
import { selectorInGo, selectorOf } from '../selectors.ts';
import { expectedScale } from './expected-scale.ts';

type Budget = DeepReadonly<PodDisruptionBudget>;
type Status = NonNullable<PodDisruptionBudget['status']>;
type Condition = NonNullable<Status['conditions']>[number];

/** A pod whose eviction was allowed, and that is not on its way out by then, stays, and counts again. */
const DELETION_MS_MAX = 2 * 60_000;

const isOf = (budget: Budget, target: PodView): boolean =>
  selectorOf(budget.spec.selector).matches(target.metadata.labels);

/** Budgets whose pods a change concerns. */
function budgetsOf(now: PodView | null, old: PodView | null, view: View): ObjectRef[] {
  const { namespace = '' } = (now ?? old)!.metadata;
  return view
    .list(podDisruptionBudget, namespace)
    .filter((budget) => (now !== null && isOf(budget, now)) || (old !== null && isOf(budget, old)))
    .map(({ metadata }) => ({ namespace, name: metadata.name ?? '' }));
}

/** Whether a pod changed in what budgets count. */
const differs = (now: PodView, old: PodView): boolean =>
  isReady(now) !== isReady(old) ||
  now.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
  !sameValue(now.metadata.labels, old.metadata.labels);

/**
 * Counts the pods of each budget, so that the api-server knows how many of them may be evicted now. An eviction takes
 * its part of `disruptionsAllowed` itself: every status is written only on the version that was counted.
 * https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-budgets
 */
export const disruptionController = (kinds: KindRegistry): Controller<PodDisruptionBudget> =>
  defineController<PodDisruptionBudget>({
    name: 'disruption',
    for: podDisruptionBudget,
    watches: [
      watchRule<Pod>(
        pod,
        (now, old, view) => (now && old && !differs(now, old) ? [] : budgetsOf(now, old, view)),
        ({ entry }, view) => view.list(podDisruptionBudget, entry.key.namespace).length > 0,
      ),
    ],
    reportsAs: 'controllermanager',
    reconcile({ namespace, name }, view) {
      const budget = view.get(podDisruptionBudget, namespace, name);
      if (!budget || budget.metadata.deletionTimestamp) return idle;
      const pods = view.list(pod, namespace).filter((candidate) => isOf(budget, candidate));
      return planBudget(budget, pods, view, kinds);
    },
  });

function planBudget(budget: Budget, pods: readonly PodView[], view: View, kinds: KindRegistry): Plan {
  const events: PlannedEvent[] = [];
  if (pods.length === 0) {
    events.push({ about: budget, type: 'Normal', reason: 'NoPods', message: 'No matching pods found' });
  }
  const expected = expectations(budget, pods, view, kinds);
  if ('problem' in expected) {
    const message = `Failed to calculate the number of expected pods: ${expected.problem}`;
    events.push({ about: budget, type: 'Warning', reason: 'CalculateExpectedPodCountFailed', message });
    return planOf(budget, refusing(budget, expected.problem, view.nowMs), events);
  }
  if (expected.hasUnmanaged) events.push(unmanagedPods(budget));
  const { disruptedPods, overdue, lookAgainMs } = disruptions(budget, pods, view.nowMs);
  for (const about of overdue) {
    const message = `Pod was expected by PDB ${about.metadata.namespace}/${budget.metadata.name} to be deleted but it wasn't`;
    events.push({ about, type: 'Warning', reason: 'NotDeleted', message });
  }
  const isGoing = ({ metadata }: PodView): boolean =>
    metadata.deletionTimestamp !== undefined || Object.hasOwn(disruptedPods, metadata.name ?? '');
  const currentHealthy = pods.filter((candidate) => !isGoing(candidate) && isReady(candidate)).length;
  const { desiredHealthy, expectedPods } = expected;
  const disruptionsAllowed = expectedPods > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0;
  const status: Status = {
    ...{ currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed, disruptedPods },
    observedGeneration: budget.metadata.generation,
    conditions: conditions(
      budget.status,
      budget.metadata.generation,
      disruptionsAllowed > 0 ? ['True', 'SufficientPods', ''] : ['False', 'InsufficientPods', ''],
      view.nowMs,
    ),
  };
  return { ...planOf(budget, status, events), lookAgainMs };
}

const unmanagedPods = (about: Budget): PlannedEvent => ({
  ...{ about, type: 'Warning', reason: 'UnmanagedPods' },
  message: `Pods selected by this PodDisruptionBudget (selector: ${selectorInGo(about.spec.selector)}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`,
});

/** How many pods there should be, and how many of them healthy. `hasUnmanaged`: of some pods nobody says so. */
type Expectations = { expectedPods: number; desiredHealthy: number; hasUnmanaged?: boolean } | { problem: string };

function expectations({ spec }: Budget, pods: readonly PodView[], view: View, kinds: KindRegistry): Expectations {
  const { minAvailable, maxUnavailable } = spec;
  if (maxUnavailable === undefined) {
    if (minAvailable === undefined) return { expectedPods: 0, desiredHealthy: 0 };
    if (typeof minAvailable === 'number') return { expectedPods: pods.length, desiredHealthy: minAvailable };
  }
  const scale = expectedScale(pods, view, kinds);
  if ('problem' in scale) return scale;
  const { replicas: expectedPods, hasUnmanaged } = scale;
  const desiredHealthy =
    maxUnavailable === undefined
      ? scaledValue(minAvailable!, expectedPods, 'up')
      : Math.max(0, expectedPods - scaledValue(maxUnavailable, expectedPods, 'up'));
  return { expectedPods, hasUnmanaged, desiredHealthy };
}

interface Disruptions {
  /** Allowed to be evicted, and not yet on their way out. */
  disruptedPods: Record<string, string>;
  /** Of those, the ones that were given up. */
  overdue: PodView[];
  /** When the next one is given up. */
  lookAgainMs: number | undefined;
}

function disruptions({ status }: Budget, pods: readonly PodView[], nowMs: number): Disruptions {
  const known = (status?.disruptedPods ?? {}) as Record<string, string>;
  const disruptedPods: Record<string, string> = {};
  const overdue: PodView[] = [];
  let lookAgainMs: number | undefined;
  for (const candidate of pods) {
    const { name = '', deletionTimestamp } = candidate.metadata;
    const since = Object.hasOwn(known, name) ? known[name] : undefined;
    if (since === undefined || deletionTimestamp) continue;
    const leftMs = (parseTime(since) ?? 0) + DELETION_MS_MAX - nowMs;
    if (leftMs <= 0) {
      overdue.push(candidate);
      continue;
    }
    disruptedPods[name] = since;
    lookAgainMs = Math.min(lookAgainMs ?? leftMs, leftMs);
  }
  return { disruptedPods, overdue, lookAgainMs };
}

function conditions(
  status: Budget['status'],
  observedGeneration: number | undefined,
  [value, reason, message]: [status: string, reason: string, message: string],
  nowMs: number,
): Condition[] {
  const now = formatTime(nowMs);
  const condition: Condition = {
    ...{ type: 'DisruptionAllowed', status: value, reason, message, lastTransitionTime: now },
    ...(observedGeneration !== undefined && { observedGeneration }),
  };
  return [...withCondition(status?.conditions as readonly Condition[] | undefined, condition, now)];
}

/**
 * While nobody can say how many pods there should be, none may be evicted. What the budget says now was not observed,
 * so evictions are told to come again.
 */
const refusing = ({ status }: Budget, problem: string, nowMs: number): Status => ({
  ...(status as Status),
  disruptionsAllowed: 0,
  conditions: conditions(status, status?.observedGeneration, ['False', 'SyncFailed', problem], nowMs),
});

/** Names that are gone from the map of disrupted pods must be said to be gone. */
function planOf(budget: Budget, wanted: Status, events: readonly PlannedEvent[]): Plan {
  const { status = {} as Status, metadata } = budget;
  const gone = Object.keys(status.disruptedPods ?? {}).map((name) => [name, null] as const);
  if (sameValue({ ...wanted, disruptedPods: wanted.disruptedPods ?? {} }, { disruptedPods: {}, ...status }))
    return idle;
  const command: Command = {
    verb: 'patch',
    kind: podDisruptionBudget,
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    subresource: 'status',
    ifUid: metadata.uid,
    ifResourceVersion: metadata.resourceVersion,
    type: 'merge',
    patch: { status: { ...wanted, disruptedPods: { ...Object.fromEntries(gone), ...wanted.disruptedPods } } },
  };
  return { steps: [[command]], events };
}
