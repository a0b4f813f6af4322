import { pod as podKind, statefulSet } from '@periplus/api';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import type { Plan, PlannedEvent } from '@periplus/reconcile';
import { type History, REVISION_LABEL, templateOf, truncated } from '../controller-revision/revision-history.ts';
import { isNamespaceEnding } from '../ending-namespace.ts';
import type { PodView } from '../pod-state.ts';
import { slowStart } from '../slow-start.ts';
import { setStatus } from '../status-change.ts';
import { firstOrdinal, type Members, membersOf, ordinalOf, podNameOf, type StatefulSetView } from './members.ts';
import { BURST_MAX, type Moves, nextMoves } from './next-moves.ts';
import { claimOwnership, departingClaim, missingClaims } from './pod-claims.ts';
import { missingIdentity, statefulPod } from './stateful-pod.ts';
import { type Revisions, statefulSetStatus } from './stateful-set-status.ts';

/** What a reconcile knows. */
interface Situation {
  set: StatefulSetView;
  members: Members;
  history: History;
  /** The template that pods below the partition have. */
  current: History['update'];
  view: View;
}

/** Commands with the events that they are worth. */
interface Part {
  commands: Command[];
  events: PlannedEvent[];
}

const joined = (parts: readonly Part[]): Part => ({
  commands: parts.flatMap(({ commands }) => commands),
  events: parts.flatMap(({ events }) => events),
});

/** The plan for a set whose pods are `pods`; `first` are commands that come before all others. */
export function planStatefulSet(
  set: StatefulSetView,
  pods: readonly PodView[],
  first: readonly Command[],
  history: History,
  view: View,
): Plan {
  const current =
    history.others.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? history.update;
  const situation: Situation = { set, members: membersOf(set, pods), history, current, view };
  const revisions: Revisions = { current: current.metadata.name, update: history.update.metadata.name };
  const { status, lookAgainMs } = statefulSetStatus(set, pods, revisions, view.nowMs);

  const moves = nextMovesOf(situation);
  const repairs = repairsOf(situation);
  const creations = moves.create.map((ordinal) => creationOf(situation, ordinal));
  const removals = joined(moves.remove.map((pod) => removalOf(set, pod)));
  const isMoving = creations.length + removals.commands.length > 0;
  const last = [...truncation(situation, pods), ...(isMoving ? [] : setStatus(statefulSet, set, status))];
  const steps = [[...first, ...repairs.commands], ...stepsOf(creations), removals.commands, last];
  return {
    steps: steps.filter((step) => step.length > 0),
    lookAgainMs,
    events: [
      ...repairs.events,
      ...creations.flatMap(({ claims, pod }) => [...claims.events, ...pod.events]),
      ...removals.events,
    ],
    onRefusal: () => setStatus(statefulSet, set, status),
  };
}

function nextMovesOf({ set, members, history, view }: Situation): Moves {
  const isEnding = isNamespaceEnding(view, set.metadata.namespace ?? '');
  return nextMoves({
    set,
    members,
    updateRevision: history.update.metadata.name ?? '',
    mayCreate: (ordinal) => !isEnding && !departingClaim(set, ordinal, view),
    nowMs: view.nowMs,
  });
}

/** Each pod of a batch after its claims, so that one whose claims are refused keeps none before it from being made. */
const stepsOf = (creations: readonly Creation[]): (readonly Command[])[] =>
  slowStart(creations, BURST_MAX).flatMap((batch) => [
    joined(batch.map(({ claims }) => claims)).commands,
    joined(batch.map(({ pod }) => pod)).commands,
  ]);

interface Creation {
  claims: Part;
  pod: Part;
}

const event = (
  set: StatefulSetView,
  command: Command,
  reason: string,
  message: { done: string; refused: string },
): PlannedEvent[] => [
  { about: set, type: 'Normal', reason: `Successful${reason}`, message: message.done, after: command },
  { about: set, type: 'Warning', reason: `Failed${reason}`, message: message.refused, onRefusalOf: command },
];

const podEvents = (set: StatefulSetView, command: Command, verb: 'Create' | 'Update' | 'Delete'): PlannedEvent[] => {
  const what = `${verb.toLowerCase()} Pod ${command.name} in StatefulSet ${set.metadata.name}`;
  return event(set, command, verb, { done: `${what} successful`, refused: `${what} failed error` });
};

function claimsOf(set: StatefulSetView, ordinal: number, view: View): Part {
  const commands = missingClaims(set, ordinal, view);
  const events = commands.flatMap((command) => {
    const [what, where] = [
      `create Claim ${command.name}`,
      `Pod ${podNameOf(set, ordinal)} in StatefulSet ${set.metadata.name}`,
    ];
    return event(set, command, 'Create', {
      done: `${what} ${where} success`,
      refused: `${what} for ${where} failed error`,
    });
  });
  return { commands, events };
}

/** https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#partitions */
function isBelowPartition({ set, members, current }: Situation, ordinal: number): boolean {
  const { updateStrategy } = set.spec;
  if (updateStrategy?.type !== 'RollingUpdate') return false;
  const { rollingUpdate } = updateStrategy;
  const isCurrent = ({ metadata }: PodView): boolean =>
    !metadata.deletionTimestamp && metadata.labels?.[REVISION_LABEL] === current.metadata.name;
  // Without a partition the pods that are still of the current template are the first ones.
  const kept = rollingUpdate
    ? (rollingUpdate.partition ?? 0)
    : [...members.byOrdinal.values()].filter(isCurrent).length;
  return ordinal < firstOrdinal(set) + kept;
}

function creationOf(situation: Situation, ordinal: number): Creation {
  const { set, history, current, view } = situation;
  const { namespace = '' } = set.metadata;
  const revision = isBelowPartition(situation, ordinal) ? current : history.update;
  const template = revision === history.update ? set.spec.template : templateOf(revision);
  const object = statefulPod(set, ordinal, template, revision.metadata.name ?? '');
  const command: Command = { verb: 'create', kind: podKind, namespace, name: podNameOf(set, ordinal), object };
  return {
    claims: claimsOf(set, ordinal, view),
    pod: { commands: [command], events: podEvents(set, command, 'Create') },
  };
}

function removalOf(set: StatefulSetView, { metadata }: PodView): Part {
  const command: Command = {
    verb: 'delete',
    kind: podKind,
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    ifUid: metadata.uid,
  };
  return { commands: [command], events: podEvents(set, command, 'Delete') };
}

/** What pods lack that are there: labels of their identity, claims while they are pending, owners of their claims. */
const repairsOf = ({ set, members, view }: Situation): Part =>
  joined([
    ...members.wanted.map((pod) => repairOf(set, pod, false, view)),
    ...members.condemned.map((pod) => repairOf(set, pod, true, view)),
  ]);

function repairOf(set: StatefulSetView, pod: PodView, isCondemned: boolean, view: View): Part {
  const ordinal = ordinalOf(set, pod) ?? 0;
  const claims = pod.status?.phase === 'Pending' && !isCondemned ? claimsOf(set, ordinal, view) : joined([]);
  const owners = claimOwnership(set, pod, ordinal, isCondemned, view);
  const conflicts = owners.conflicting.map(
    (name): PlannedEvent => ({
      about: set,
      type: 'Warning',
      reason: 'ConflictingController',
      message: `PersistentVolumeClaim ${name} has a conflicting OwnerReference that acts as a managing controller, the retention policy is ignored for this claim`,
    }),
  );
  return joined([claims, { commands: owners.commands, events: conflicts }, identityOf(set, pod)]);
}

function identityOf(set: StatefulSetView, pod: PodView): Part {
  const labels = missingIdentity(set, pod);
  if (!labels) return joined([]);
  const { namespace = '', name = '', uid } = pod.metadata;
  const patch = { metadata: { labels } };
  const command: Command = { verb: 'patch', kind: podKind, namespace, name, ifUid: uid, type: 'merge', patch };
  return { commands: [command], events: podEvents(set, command, 'Update') };
}

/** Revisions beyond the limit, among those that no pod has and nothing is rolled out from. */
function truncation({ set, history, current }: Situation, pods: readonly PodView[]): Command[] {
  const limit = set.spec.revisionHistoryLimit ?? 10;
  const live = new Set([current.metadata.name, ...pods.map(({ metadata }) => metadata.labels?.[REVISION_LABEL])]);
  const idle = history.others.filter(({ metadata }) => !live.has(metadata.name));
  return limit < 0 ? [] : truncated(idle, idle.length - limit);
}
