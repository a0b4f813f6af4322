import { deployment, pod, replicaSet } from '@periplus/api';
import { conditionOf, ownerReferenceTo } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import type { Plan, PlannedEvent } from '@periplus/reconcile';
import { hasEnded } from '../pod-state.ts';
import { setStatus } from '../status-change.ts';
import { deadlineMsOf, deploymentStatus, type StatusInput } from './deployment-status.ts';
import { type Bounds, boundsOf, newSetSize, oldSetSizes, proportionalSizes, type SetSize } from './replica-counts.ts';
import {
  createdMs,
  DESIRED_REPLICAS,
  type DeploymentView,
  MAX_REPLICAS,
  newSetAnnotations,
  newSetOf,
  nextRevision,
  numberIn,
  REVISION,
  type ReplicaSetView,
  revisionOf,
  setName,
  sizeAnnotations,
  splitSets,
} from './revisions.ts';

/** What a reconcile knows. */
interface Rollout {
  d: DeploymentView;
  view: View;
  newSet: ReplicaSetView | undefined;
  oldSets: readonly ReplicaSetView[];
  bounds: Bounds;
  /** The annotations that the new set should have. */
  annotations: Readonly<Record<string, string>>;
}

/** What it decides, before it is put into commands. */
interface Decision {
  /** The size of the new set that has to be created. */
  create?: number;
  sizes?: ReadonlyMap<ReplicaSetView, number>;
  remove?: readonly ReplicaSetView[];
}

const wantedOf = (set: ReplicaSetView): number => set.spec.replicas ?? 1;

const sizeOf = (set: ReplicaSetView): SetSize & { set: ReplicaSetView } => ({
  set,
  wanted: wantedOf(set),
  available: set.status?.availableReplicas ?? 0,
  createdMs: createdMs(set),
  name: set.metadata.name ?? '',
  maxAnnotated: numberIn(set.metadata.annotations, MAX_REPLICAS),
});

const NO_SET: SetSize = { wanted: 0, available: 0, createdMs: 0, name: '', maxAnnotated: undefined };

const bySet = (sizes: ReadonlyMap<SetSize, number>): Map<ReplicaSetView, number> =>
  new Map([...sizes].map(([size, to]) => [(size as ReturnType<typeof sizeOf>).set, to]));

/** Decides the next move of a Deployment whose sets are `sets`; each move is small enough to be safe by itself. */
export function planRollout(d: DeploymentView, sets: readonly ReplicaSetView[], claims: Command[], view: View): Plan {
  const { newSet, oldSets } = splitSets(d, sets);
  const revision = nextRevision(oldSets);
  const annotations = newSetAnnotations(d, newSet, revision);
  const rollout: Rollout = { d, view, newSet, oldSets, bounds: boundsOf(d), annotations };
  if (d.metadata.deletionTimestamp) return planOf(rollout, claims, {});
  return planOf(rollout, claims, decide(rollout));
}

function decide(rollout: Rollout): Decision {
  const { d, newSet, oldSets } = rollout;
  if (d.spec.paused) return { ...scaled(rollout), remove: superfluous(rollout) };
  if (isBeingScaled(rollout)) return scaled(rollout);
  const decision = d.spec.strategy?.type === 'Recreate' ? recreated(rollout) : rolled(rollout);
  if (decision.create !== undefined || decision.sizes?.size) return decision;
  const input = statusInput(rollout, undefined);
  const isDone = newSet !== undefined && deploymentStatus(input).complete && oldSets.length > 0;
  return isDone ? { remove: superfluous(rollout) } : decision;
}

/** Sets that were sized for another number of replicas: the Deployment was scaled, which comes before rolling out. */
const isBeingScaled = ({ d, newSet, oldSets }: Rollout): boolean =>
  [...oldSets, ...(newSet ? [newSet] : [])].some((set) => {
    const desired = numberIn(set.metadata.annotations, DESIRED_REPLICAS);
    return wantedOf(set) > 0 && desired !== undefined && desired !== (d.spec.replicas ?? 1);
  });

function scaled(rollout: Rollout): Decision {
  const { d, newSet, oldSets, bounds } = rollout;
  const sets = newSet ? [newSet, ...oldSets] : [...oldSets];
  const active = sets.filter((set) => wantedOf(set) > 0);
  if (active.length <= 1) {
    const only = active[0] ?? newSet ?? oldSets.at(-1);
    return only ? { sizes: new Map([[only, bounds.replicas]]) } : {};
  }
  if (newSet && isSaturated(newSet, bounds.replicas)) {
    return { sizes: new Map(oldSets.filter((set) => wantedOf(set) > 0).map((set) => [set, 0])) };
  }
  if (d.spec.strategy?.type === 'Recreate') return d.spec.paused ? {} : recreated(rollout);
  return { sizes: bySet(proportionalSizes(sets.map(sizeOf), bounds, d.status?.replicas ?? 0)) };
}

/** Has all pods of the Deployment, all available. */
const isSaturated = (set: ReplicaSetView, replicas: number): boolean =>
  wantedOf(set) === replicas &&
  numberIn(set.metadata.annotations, DESIRED_REPLICAS) === replicas &&
  set.status?.availableReplicas === replicas;

function rolled({ newSet, oldSets, bounds }: Rollout): Decision {
  const old = oldSets.map(sizeOf);
  if (!newSet) return { create: newSetSize(NO_SET, old, bounds) };
  const now = sizeOf(newSet);
  const size = newSetSize(now, old, bounds);
  if (size !== now.wanted) return { sizes: new Map([[newSet, size]]) };
  return { sizes: bySet(oldSetSizes(now, old, bounds)) };
}

/** All old pods go, and are gone, before the first new one comes. */
function recreated({ view, newSet, oldSets, bounds }: Rollout): Decision {
  const active = oldSets.filter((set) => wantedOf(set) > 0);
  if (active.length > 0) return { sizes: new Map(active.map((set) => [set, 0])) };
  const isLeft = oldSets.some(({ metadata }) => view.owned(pod, metadata.uid ?? '').some((left) => !hasEnded(left)));
  if (isLeft) return {};
  if (!newSet) return { create: bounds.replicas };
  return wantedOf(newSet) === bounds.replicas ? {} : { sizes: new Map([[newSet, bounds.replicas]]) };
}

/** Old sets beyond the history limit that have neither pods nor a change that is not observed yet. */
function superfluous({ d, oldSets }: Rollout): readonly ReplicaSetView[] {
  const limit = d.spec.revisionHistoryLimit ?? Number.POSITIVE_INFINITY;
  const alive = oldSets.filter(({ metadata }) => !metadata.deletionTimestamp);
  const count = alive.length - limit;
  if (count <= 0) return [];
  return [...alive]
    .sort((a, b) => revisionOf(a) - revisionOf(b))
    .slice(0, count)
    .filter(
      ({ metadata, spec, status }) =>
        spec.replicas === 0 && !status?.replicas && (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0),
    );
}

const statusInput = (rollout: Rollout, progress: StatusInput['progress']): StatusInput => {
  const { d, view, newSet, oldSets, bounds } = rollout;
  return { d, newSet, sets: newSet ? [newSet, ...oldSets] : oldSets, bounds, progress, nowMs: view.nowMs };
};

/** The Progressing condition that comes of what happens to the new set, or of a pause. */
function progressOf({ d, newSet }: Rollout, created: Command | undefined): StatusInput['progress'] {
  if (deadlineMsOf(d) === undefined) return undefined;
  const present = conditionOf(d.status?.conditions, 'Progressing');
  if (d.spec.paused) {
    if (present?.reason === 'ProgressDeadlineExceeded') return undefined;
    return { status: 'Unknown', reason: 'DeploymentPaused', message: 'Deployment is paused' };
  }
  if (created) {
    const message = `Created new replica set "${created.name}"`;
    return { status: 'True', reason: 'NewReplicaSetCreated', message };
  }
  if (present?.reason === 'DeploymentPaused') {
    return { status: 'Unknown', reason: 'DeploymentResumed', message: 'Deployment is resumed' };
  }
  if (newSet && !present) {
    const message = `Found new replica set "${newSet.metadata.name}"`;
    return { status: 'True', reason: 'FoundNewReplicaSet', message };
  }
  return undefined;
}

function planOf(rollout: Rollout, claims: Command[], decision: Decision): Plan {
  const { d, oldSets } = rollout;
  const creation = creationOf(rollout, decision.create);
  if (creation === 'collision') return countCollision(d);
  const changes = d.metadata.deletionTimestamp ? [] : changesOf(rollout, decision.sizes ?? new Map());
  const removals = (decision.remove ?? []).map(removalOf);
  const input = statusInput(rollout, progressOf(rollout, creation?.command));
  const { status, lookAgainMs } = deploymentStatus(input);
  const revisionCommand = setRevision(rollout, creation !== undefined, nextRevision(oldSets));
  const steps = [
    claims,
    [...(creation ? [creation.command] : []), ...changes.map(({ command }) => command), ...removals],
    [...revisionCommand, ...setStatus(deployment, d, status)],
  ];
  return {
    steps: steps.filter((step) => step.length > 0),
    lookAgainMs,
    events: [...(creation?.events ?? []), ...changes.flatMap(({ events }) => events)],
    onRefusal(refusals) {
      const refusal = refusals.find(({ command }) => command === creation?.command);
      if (!refusal || refusal.error.reason === 'AlreadyExists') return [];
      const message = `Failed to create new replica set "${refusal.command.name}": ${refusal.error.message}`;
      const failed = { status: 'False', reason: 'ReplicaSetCreateError', message } as const;
      return setStatus(deployment, d, deploymentStatus({ ...input, progress: failed }).status);
    },
  };
}

/** The set to create, or that its name is taken by a set that is not this Deployment's of this template. */
function creationOf(
  { d, view, annotations, bounds }: Rollout,
  replicas: number | undefined,
): { command: Command; events: PlannedEvent[] } | 'collision' | undefined {
  if (replicas === undefined) return undefined;
  const { namespace = '' } = d.metadata;
  const name = setName(d);
  if (view.get(replicaSet, namespace, name)) return 'collision';
  const object = newSetOf(d, {
    replicas,
    annotations: { ...annotations, ...sizeAnnotations(bounds.replicas, bounds.surge) },
    owner: ownerReferenceTo(d, deployment),
  });
  const command: Command = { verb: 'create', kind: replicaSet, namespace, name, object };
  const failure: PlannedEvent = {
    about: d,
    type: 'Warning',
    reason: 'ReplicaSetCreateError',
    message: `Failed to create new replica set "${name}"`,
    onRefusalOf: command,
  };
  return { command, events: [...(replicas > 0 ? [scalingEvent(d, command, 0, replicas)] : []), failure] };
}

/** Another name is made of the count. The next reconcile uses it. */
function countCollision(d: DeploymentView): Plan {
  return { steps: [setStatus(deployment, d, { ...d.status, collisionCount: (d.status?.collisionCount ?? 0) + 1 })] };
}

const scalingEvent = (d: DeploymentView, command: Command, from: number, to: number): PlannedEvent => ({
  about: d,
  type: 'Normal',
  reason: 'ScalingReplicaSet',
  message: `Scaled ${to > from ? 'up' : 'down'} replica set ${command.name} from ${from} to ${to}`,
  after: command,
});

/** One patch per set that changes, refused when the set was changed since: sizes only hold together. */
function changesOf(
  { d, newSet, annotations, bounds }: Rollout,
  sizes: ReadonlyMap<ReplicaSetView, number>,
): { command: Command; events: PlannedEvent[] }[] {
  const changes: { command: Command; events: PlannedEvent[] }[] = [];
  for (const set of new Set([...(newSet ? [newSet] : []), ...sizes.keys()])) {
    const from = wantedOf(set);
    const to = sizes.get(set) ?? from;
    const wanted = {
      ...(set === newSet && annotations),
      ...(sizes.has(set) && sizeAnnotations(bounds.replicas, bounds.surge)),
    };
    const present = set.metadata.annotations ?? {};
    const changed = Object.fromEntries(Object.entries(wanted).filter(([name, value]) => present[name] !== value));
    const minReady = set === newSet && (set.spec.minReadySeconds ?? 0) !== (d.spec.minReadySeconds ?? 0);
    if (to === from && Object.keys(changed).length === 0 && !minReady) continue;
    const spec = {
      ...(to !== from && { replicas: to }),
      ...(minReady && { minReadySeconds: d.spec.minReadySeconds ?? null }),
    };
    const command: Command = {
      verb: 'patch',
      kind: replicaSet,
      namespace: set.metadata.namespace ?? '',
      name: set.metadata.name ?? '',
      ifUid: set.metadata.uid,
      ifResourceVersion: set.metadata.resourceVersion,
      type: 'merge',
      patch: { metadata: { annotations: changed }, spec },
    };
    changes.push({ command, events: to === from ? [] : [scalingEvent(d, command, from, to)] });
  }
  return changes;
}

const removalOf = ({ metadata }: ReplicaSetView): Command => ({
  verb: 'delete',
  kind: replicaSet,
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
  ifUid: metadata.uid,
  ifResourceVersion: metadata.resourceVersion,
});

/** The Deployment shows the revision of its present template. */
function setRevision({ d, newSet, annotations }: Rollout, creating: boolean, revision: number): Command[] {
  if (d.metadata.deletionTimestamp || !(creating || newSet)) return [];
  const wanted = creating ? String(revision) : annotations[REVISION];
  if (wanted === undefined || d.metadata.annotations?.[REVISION] === wanted) return [];
  return [
    {
      verb: 'patch',
      kind: deployment,
      namespace: d.metadata.namespace ?? '',
      name: d.metadata.name ?? '',
      ifUid: d.metadata.uid,
      type: 'merge',
      patch: { metadata: { annotations: { [REVISION]: wanted } } },
    },
  ];
}
