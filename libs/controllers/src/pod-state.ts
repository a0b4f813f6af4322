import type { Pod } from '@periplus/api';
import { conditionOf, type DeepReadonly, parseTime } from '@periplus/apimachinery';

export type PodView = DeepReadonly<Pod>;

export const hasEnded = ({ status }: PodView): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

/** Counts for its controller: neither ended nor about to go. */
export const isActive = (pod: PodView): boolean => !hasEnded(pod) && !pod.metadata.deletionTimestamp;

export const readyCondition = ({ status }: PodView) => conditionOf(status?.conditions, 'Ready');

export const isReady = (pod: PodView): boolean => readyCondition(pod)?.status === 'True';

/**
 * Milliseconds until a pod counts as available, which it does after being ready for `minReadySeconds`; 0 when it does,
 * undefined when it is not ready. https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#min-ready-seconds
 */
export function availableInMs(pod: PodView, minReadySeconds: number, nowMs: number): number | undefined {
  const condition = readyCondition(pod);
  if (condition?.status !== 'True') return undefined;
  if (minReadySeconds === 0) return 0;
  const sinceMs = parseTime(condition.lastTransitionTime ?? '');
  return sinceMs === undefined ? undefined : Math.max(0, sinceMs + minReadySeconds * 1000 - nowMs);
}
