/**
 * Which pods of a StatefulSet come and go next. A pod that is there, however it is, keeps its ordinal: another of the
 * same name comes when it is gone, never before.
 * https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#deployment-and-scaling-guarantees
 */
import { scaledValue } from '@periplus/apimachinery';
import { REVISION_LABEL } from '../controller-revision/revision-history.ts';
import { hasEnded, type PodView } from '../pod-state.ts';
import { firstOrdinal, isSteady, type Members, ordinalOf, type StatefulSetView } from './members.ts';

/** Pods that one plan creates at most. */
export const BURST_MAX = 500;

export interface Situation {
  set: StatefulSetView;
  members: Members;
  /** The mark of pods of the present template. */
  updateRevision: string;
  /** Whether nothing but the pod's absence stands in the way of its creation. */
  mayCreate(ordinal: number): boolean;
  nowMs: number;
}

export interface Moves {
  /** Ordinals, ascending. */
  create: readonly number[];
  remove: readonly PodView[];
}

const NONE: Moves = { create: [], remove: [] };
const removing = (...remove: PodView[]): Moves => ({ create: [], remove });

const isLeaving = ({ metadata }: PodView): boolean => metadata.deletionTimestamp !== undefined;

export const nextMoves = (situation: Situation): Moves =>
  situation.set.spec.podManagementPolicy === 'Parallel' ? parallelMoves(situation) : orderedMoves(situation);

/** One at a time: each pod waits for those before it, and goes only when those are well. */
function orderedMoves(situation: Situation): Moves {
  const { set, members, nowMs } = situation;
  const from = firstOrdinal(set);
  for (let ordinal = from; ordinal < from + (set.spec.replicas ?? 1); ordinal++) {
    const present = members.byOrdinal.get(ordinal);
    if (!present) return situation.mayCreate(ordinal) ? { create: [ordinal], remove: [] } : NONE;
    if (hasEnded(present)) return isLeaving(present) ? NONE : removing(present);
    if (!isSteady(set, present, nowMs)) return NONE;
  }
  const [last] = members.condemned;
  if (!last) return removing(...outdated(situation));
  // Of several that are not well, the last one waits until those before it are: only the first of them may go as it is.
  // One that has ended does not become well any more.
  const unwell = members.condemned.filter((pod) => !isSteady(set, pod, nowMs)).at(-1);
  const mayGo = !isLeaving(last) && (isSteady(set, last, nowMs) || hasEnded(last) || last === unwell);
  return mayGo ? removing(last) : NONE;
}

/** All at once. https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#parallel-pod-management */
function parallelMoves(situation: Situation): Moves {
  const { set, members } = situation;
  const from = firstOrdinal(set);
  const create: number[] = [];
  for (let ordinal = from; ordinal < from + (set.spec.replicas ?? 1) && create.length < BURST_MAX; ordinal++) {
    if (!members.byOrdinal.has(ordinal) && situation.mayCreate(ordinal)) create.push(ordinal);
  }
  const remove = new Set([...members.wanted.filter(hasEnded), ...members.condemned, ...outdated(situation)]);
  return { create, remove: [...remove].filter((pod) => !isLeaving(pod)) };
}

/**
 * Pods of another template that may go now, the highest ordinal first: those that are not well anyway, and as many of
 * the others as may be unavailable. https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#rolling-updates
 */
function outdated({ set, members, updateRevision, nowMs }: Situation): PodView[] {
  const { updateStrategy, replicas = 1 } = set.spec;
  if (updateStrategy?.type === 'OnDelete') return [];
  const { partition = 0, maxUnavailable = 1 } = updateStrategy?.rollingUpdate ?? {};
  const isWell = (pod: PodView): boolean => isSteady(set, pod, nowMs);
  const unavailable = replicas - members.wanted.filter(isWell).length;
  const allowed = Math.max(1, scaledValue(maxUnavailable, replicas, 'down'));
  const old = members.wanted
    .filter((pod) => (ordinalOf(set, pod) ?? 0) >= firstOrdinal(set) + partition)
    .filter((pod) => pod.metadata.labels?.[REVISION_LABEL] !== updateRevision && !isLeaving(pod))
    .reverse();
  return [...old.filter((pod) => !isWell(pod)), ...old.filter(isWell).slice(0, Math.max(0, allowed - unavailable))];
}
