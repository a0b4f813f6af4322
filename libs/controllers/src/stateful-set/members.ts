import type { StatefulSet } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { availableInMs, type PodView } from '../pod-state.ts';

export type StatefulSetView = DeepReadonly<StatefulSet>;

export const podNameOf = (set: StatefulSetView, ordinal: number): string => `${set.metadata.name}-${ordinal}`;

/** The ordinal that a pod's name gives it in the set; undefined when it is no name of the set's pods. */
export function ordinalOf(set: StatefulSetView, { metadata }: PodView): number | undefined {
  const name = metadata.name ?? '';
  const dash = name.lastIndexOf('-');
  const digits = name.slice(dash + 1);
  return name.slice(0, dash) === set.metadata.name && /^(0|[1-9][0-9]{0,9})$/.test(digits) ? Number(digits) : undefined;
}

/** https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#start-ordinal */
export const firstOrdinal = ({ spec }: StatefulSetView): number => spec.ordinals?.start ?? 0;

/** The pods of a set. There are never two of one ordinal, since it is the name. */
export interface Members {
  byOrdinal: ReadonlyMap<number, PodView>;
  /** Those that the set asks for, by ordinal. */
  wanted: readonly PodView[];
  /** Those that it does not ask for any more, the highest ordinal first. */
  condemned: readonly PodView[];
}

export function membersOf(set: StatefulSetView, pods: readonly PodView[]): Members {
  const from = firstOrdinal(set);
  const to = from + (set.spec.replicas ?? 1);
  const ordered = pods
    .map((pod) => ({ pod, ordinal: ordinalOf(set, pod) ?? -1 }))
    .filter(({ ordinal }) => ordinal >= 0)
    .sort((a, b) => a.ordinal - b.ordinal);
  const isWanted = ({ ordinal }: { ordinal: number }): boolean => ordinal >= from && ordinal < to;
  return {
    byOrdinal: new Map(ordered.map(({ ordinal, pod }) => [ordinal, pod])),
    wanted: ordered.filter(isWanted).map(({ pod }) => pod),
    condemned: ordered
      .filter((member) => !isWanted(member))
      .map(({ pod }) => pod)
      .reverse(),
  };
}

/** Milliseconds until a pod that runs counts as available; undefined when it is not ready. */
export const steadyInMs = (set: StatefulSetView, pod: PodView, nowMs: number): number | undefined =>
  pod.status?.phase === 'Running' ? availableInMs(pod, set.spec.minReadySeconds ?? 0, nowMs) : undefined;

/** Runs, is available and stays: what the next pod in line waits for. */
export const isSteady = (set: StatefulSetView, pod: PodView, nowMs: number): boolean =>
  !pod.metadata.deletionTimestamp && steadyInMs(set, pod, nowMs) === 0;
