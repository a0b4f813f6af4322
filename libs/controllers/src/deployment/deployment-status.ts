/**
 * The status of a Deployment: counts and the conditions Progressing, Available and ReplicaFailure.
 * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
 */
import type { Deployment } from '@periplus/api';
import { conditionOf, type DeepReadonly, formatTime, parseTime, withoutCondition } from '@periplus/apimachinery';
import { unlessZero } from '../status-change.ts';
import type { Bounds } from './replica-counts.ts';
import type { DeploymentView, ReplicaSetView } from './revisions.ts';

type Status = NonNullable<DeepReadonly<Deployment>['status']>;
type Condition = NonNullable<Status['conditions']>[number];

/** A Deployment with this deadline has none. */
const NO_DEADLINE = 2 ** 31 - 1;

export interface StatusInput {
  d: DeploymentView;
  newSet: ReplicaSetView | undefined;
  sets: readonly ReplicaSetView[];
  bounds: Bounds;
  /** A Progressing condition that what is planned brings about. */
  progress: { status: 'True' | 'False' | 'Unknown'; reason: string; message: string } | undefined;
  nowMs: number;
}

/** Puts a condition in place; what was there stays when it says the same, and keeps its time when its status does. */
function withCondition(
  conditions: readonly Condition[],
  wanted: Omit<Condition, 'lastUpdateTime' | 'lastTransitionTime'>,
  nowMs: number,
): readonly Condition[] {
  const present = conditionOf(conditions, wanted.type);
  if (present?.status === wanted.status && present.reason === wanted.reason) return conditions;
  const now = formatTime(nowMs);
  const lastTransitionTime = present?.status === wanted.status ? present.lastTransitionTime : now;
  const others = conditions.filter(({ type }) => type !== wanted.type);
  return [...others, { ...wanted, lastUpdateTime: now, lastTransitionTime }];
}

const total = (sets: readonly ReplicaSetView[], of: (set: ReplicaSetView) => number | undefined): number =>
  sets.reduce((sum, set) => sum + (of(set) ?? 0), 0);

const countsOf = ({ d, newSet, sets }: StatusInput) => {
  const available = total(sets, ({ status }) => status?.availableReplicas);
  return {
    observedGeneration: d.metadata.generation,
    replicas: total(sets, ({ status }) => status?.replicas),
    updatedReplicas: newSet?.status?.replicas ?? 0,
    readyReplicas: total(sets, ({ status }) => status?.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, total(sets, ({ spec }) => spec.replicas) - available),
    terminatingReplicas: total(sets, ({ status }) => status?.terminatingReplicas),
  };
};
type Counts = ReturnType<typeof countsOf>;

/** Everything is of the present template and available, and nothing else is left. */
function isComplete(d: DeploymentView, counts: Counts): boolean {
  const { replicas = 1 } = d.spec;
  return counts.updatedReplicas === replicas && counts.replicas === replicas && counts.availableReplicas === replicas;
}

function hasProgressed(before: Status, now: Counts): boolean {
  const old = (status: { replicas?: number; updatedReplicas?: number }): number =>
    (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    now.updatedReplicas > (before.updatedReplicas ?? 0) ||
    old(now) < old(before) ||
    now.readyReplicas > (before.readyReplicas ?? 0) ||
    now.availableReplicas > (before.availableReplicas ?? 0)
  );
}

export const deadlineMsOf = ({ spec }: DeploymentView): number | undefined => {
  const seconds = spec.progressDeadlineSeconds;
  return seconds === undefined || seconds >= NO_DEADLINE ? undefined : seconds * 1000;
};

/** When a rollout that does not move runs out of time; undefined when it can't. */
function deadlineOf(d: DeploymentView, conditions: readonly Condition[]): number | undefined {
  const progressing = conditionOf(conditions, 'Progressing');
  const allowedMs = deadlineMsOf(d);
  if (!progressing || allowedMs === undefined || progressing.reason === 'NewReplicaSetAvailable') return undefined;
  const sinceMs = parseTime(progressing.lastUpdateTime ?? progressing.lastTransitionTime ?? '');
  return sinceMs === undefined ? undefined : sinceMs + allowedMs;
}

/** The Progressing condition that the counts show, if they show any. */
function progressOf(input: StatusInput, counts: Counts, conditions: readonly Condition[]): readonly Condition[] {
  const { d, newSet, nowMs } = input;
  const subject = newSet ? `ReplicaSet "${newSet.metadata.name}"` : `Deployment "${d.metadata.name}"`;
  const progressing = (status: 'True' | 'False', reason: string, message: string) => ({
    type: 'Progressing',
    status,
    reason,
    message: `${subject} ${message}`,
  });
  if (isComplete(d, counts)) {
    const wanted = progressing('True', 'NewReplicaSetAvailable', 'has successfully progressed.');
    return withCondition(conditions, wanted, nowMs);
  }
  if (hasProgressed(d.status ?? {}, counts)) {
    // Each step forward starts the deadline anew, so the condition is written even when it says the same.
    const wanted = progressing('True', 'ReplicaSetUpdated', 'is progressing.');
    const present = conditionOf(conditions, 'Progressing');
    const refreshed = withCondition(withoutCondition(conditions, 'Progressing'), wanted, nowMs);
    if (present?.status !== 'True') return refreshed;
    const { lastTransitionTime } = present;
    return refreshed.map((condition) =>
      condition.type === 'Progressing' ? { ...condition, lastTransitionTime } : condition,
    );
  }
  const deadlineMs = deadlineOf(d, conditions);
  if (deadlineMs === undefined || nowMs < deadlineMs) return conditions;
  return withCondition(
    conditions,
    progressing('False', 'ProgressDeadlineExceeded', 'has timed out progressing.'),
    nowMs,
  );
}

/** The failure of the new set to get its pods, else of any other. */
function failureOf({ newSet, sets }: StatusInput): Condition | undefined {
  for (const set of newSet ? [newSet, ...sets] : sets) {
    const failure = set.status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
    if (failure) return failure;
  }
  return undefined;
}

function conditionsOf(input: StatusInput, counts: Counts): readonly Condition[] {
  const { d, bounds, progress, nowMs } = input;
  let conditions: readonly Condition[] = d.status?.conditions ?? [];
  const isAvailable = counts.availableReplicas >= bounds.replicas - bounds.unavailable;
  conditions = withCondition(
    conditions,
    isAvailable
      ? {
          type: 'Available',
          status: 'True',
          reason: 'MinimumReplicasAvailable',
          message: 'Deployment has minimum availability.',
        }
      : {
          type: 'Available',
          status: 'False',
          reason: 'MinimumReplicasUnavailable',
          message: 'Deployment does not have minimum availability.',
        },
    nowMs,
  );
  if (deadlineMsOf(d) === undefined) conditions = withoutCondition(conditions, 'Progressing');
  else if (progress) conditions = withCondition(conditions, { type: 'Progressing', ...progress }, nowMs);
  else if (!d.spec.paused && !d.metadata.deletionTimestamp && !isSettled(counts, conditions)) {
    conditions = progressOf(input, counts, conditions);
  }
  const failure = failureOf(input);
  if (!failure) return withoutCondition(conditions, 'ReplicaFailure');
  const { status, reason, message } = failure;
  return withCondition(conditions, { type: 'ReplicaFailure', status, reason, message }, nowMs);
}

/** The rollout was complete already: scaling and pods that come and go are not its progress. */
const isSettled = (counts: Counts, conditions: readonly Condition[]): boolean =>
  counts.replicas === counts.updatedReplicas &&
  conditionOf(conditions, 'Progressing')?.reason === 'NewReplicaSetAvailable';

/** The wanted status, whether the rollout is complete, and when its deadline asks for another look. */
export function deploymentStatus(input: StatusInput): {
  status: object;
  complete: boolean;
  lookAgainMs: number | undefined;
} {
  const counts = countsOf(input);
  const conditions = conditionsOf(input, counts);
  const complete = isComplete(input.d, counts);
  const timedOut = conditionOf(conditions, 'Progressing')?.reason === 'ProgressDeadlineExceeded';
  const deadlineMs = complete || timedOut || input.d.spec.paused ? undefined : deadlineOf(input.d, conditions);
  return {
    status: {
      ...Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, unlessZero(count ?? 0)])),
      terminatingReplicas: counts.terminatingReplicas,
      collisionCount: input.d.status?.collisionCount,
      conditions,
    },
    complete,
    lookAgainMs: deadlineMs === undefined ? undefined : Math.max(0, deadlineMs - input.nowMs),
  };
}
