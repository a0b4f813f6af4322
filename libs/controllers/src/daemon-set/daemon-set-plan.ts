import { daemonSet, pod as podKind } from '@periplus/api';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import type { Plan, PlannedEvent } from '@periplus/reconcile';
import { childNames } from '../child-names.ts';
import { type History, markOfHash, REVISION_LABEL, truncated } from '../controller-revision/revision-history.ts';
import { isNamespaceEnding } from '../ending-namespace.ts';
import { podEvents } from '../pod-events.ts';
import { availableInMs, type PodView } from '../pod-state.ts';
import { slowStart } from '../slow-start.ts';
import { setStatus } from '../status-change.ts';
import { type DaemonNode, daemonNodes } from './daemon-nodes.ts';
import { daemonPod, nodeOf } from './daemon-pod.ts';
import { daemonSetStatus } from './daemon-set-status.ts';
import { addNodeMoves, type Moves, type Rules } from './node-moves.ts';
import type { DaemonSetView } from './placement.ts';
import { limitsOf, rollingMoves } from './rolling-update.ts';

/** Pods that one plan creates, and deletes, at most. */
const BURST_MAX = 250;

/** The plan for a set whose pods are `pods`; `first` are commands that come before all others. */
export function planDaemonSet(
  set: DaemonSetView,
  pods: readonly PodView[],
  first: readonly Command[],
  history: History,
  view: View,
): Plan {
  const hash = markOfHash(history.update);
  const isUpdated = ({ metadata }: PodView): boolean => metadata.labels?.[REVISION_LABEL] === hash;
  const nodes = daemonNodes(set, pods, view);
  const moves = movesOf(set, nodes, isUpdated, view.nowMs);
  const { status, lookAgainMs } = daemonSetStatus(set, nodes, isUpdated, view.nowMs);

  const creates = isNamespaceEnding(view, set.metadata.namespace ?? '')
    ? []
    : moves.create.slice(0, BURST_MAX).map((target) => createOf(set, target, hash, view));
  const removed = moves.remove.slice(0, BURST_MAX);
  const removes = removed.map(removeOf);
  const statusChange = setStatus(daemonSet, set, status);
  const steps = [
    [...first],
    ...slowStart(creates, BURST_MAX),
    removes,
    [...truncation(set, pods, history), ...statusChange],
  ];
  return {
    steps: steps.filter((step) => step.length > 0),
    lookAgainMs: earliest(lookAgainMs, moves.lookAgainMs),
    events: [
      ...creates.flatMap((command) => podEvents(set, command)),
      ...removes.flatMap((command, i) => [...reasonOf(set, removed[i], command), ...podEvents(set, command)]),
    ],
    // Nodes that refuse new pods keep no others from being freed of theirs.
    onRefusal: (refusals) => [
      ...(refusals.some(({ command }) => command.verb === 'create') ? removes : []),
      ...statusChange,
    ],
  };
}

const earliest = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);

function movesOf(
  set: DaemonSetView,
  nodes: readonly DaemonNode[],
  isUpdated: (pod: PodView) => boolean,
  nowMs: number,
): Moves {
  const { updateStrategy, minReadySeconds = 0 } = set.spec;
  const isRolling = updateStrategy?.type !== 'OnDelete';
  const rules: Rules = {
    surges: isRolling && limitsOf(set, 1).surge > 0,
    isUpdated,
    isAvailable: (pod) => availableInMs(pod, minReadySeconds, nowMs) === 0,
    nowMs,
  };
  const moves: Moves = { create: [], remove: [], lookAgainMs: undefined };
  for (const node of nodes) addNodeMoves(node, rules, moves);
  if (!isRolling || moves.create.length + moves.remove.length > 0) return moves;
  return { ...rollingMoves(set, nodes, rules), lookAgainMs: moves.lookAgainMs };
}

function createOf(set: DaemonSetView, target: Moves['create'][number], hash: string, view: View): Command {
  const { namespace = '', name: setName, uid, resourceVersion } = set.metadata;
  const isTaken = (candidate: string): boolean => view.get(podKind, namespace, candidate) !== undefined;
  const [name = ''] = childNames(`${setName}-`, `${uid}/${resourceVersion}/${target.node}`, 1, isTaken);
  return { verb: 'create', kind: podKind, namespace, name, object: daemonPod(set, name, target, hash) };
}

const removeOf = ({ metadata }: PodView): Command => ({
  verb: 'delete',
  kind: podKind,
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
  ifUid: metadata.uid,
});

/** Why a pod goes that has ended. */
function reasonOf(set: DaemonSetView, pod: PodView | undefined, after: Command): PlannedEvent[] {
  const { namespace, name } = pod?.metadata ?? {};
  const found = (how: string): string => `Found ${how} daemon pod ${namespace}/${name} on node ${pod && nodeOf(pod)}`;
  if (pod?.status?.phase === 'Failed') {
    const message = `${found('failed')}, will try to kill it`;
    return [{ about: set, type: 'Warning', reason: 'FailedDaemonPod', message, after }];
  }
  if (pod?.status?.phase === 'Succeeded') {
    const message = `${found('succeeded')}, will try to delete it`;
    return [{ about: set, type: 'Normal', reason: 'SucceededDaemonPod', message, after }];
  }
  return [];
}

/** Revisions beyond the limit that no pod has. */
function truncation(set: DaemonSetView, pods: readonly PodView[], { others }: History): Command[] {
  const live = new Set(pods.map(({ metadata }) => metadata.labels?.[REVISION_LABEL]));
  const idle = others.filter((revision) => !live.has(markOfHash(revision)));
  return truncated(idle, others.length - (set.spec.revisionHistoryLimit ?? 10));
}
