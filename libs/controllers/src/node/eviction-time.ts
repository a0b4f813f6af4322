import { node, type Taint, tolerates } from '@periplus/api';
import { type DeepReadonly, parseTime } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import type { PodView } from '../pod-state.ts';
import { NOT_READY, type NodeView, UNREACHABLE } from './node-taints.ts';

/** How long a pod stays on a node that is not ready or not reachable, when it does not say itself. */
const DEFAULT_TOLERATION_SECONDS = 300;

type Taints = readonly DeepReadonly<Taint>[];

/** The taints that make pods leave. */
export const evictingTaints = (of: NodeView | undefined): Taints =>
  (of?.spec.taints ?? []).filter(({ effect }) => effect === 'NoExecute');

export const evictingTaintsOn = (name: string, view: View): Taints => evictingTaints(view.get(node, '', name));

/**
 * When the taints evict a pod: milliseconds since the epoch, or undefined when it tolerates them for good.
 * Of several tolerations of one taint the shortest counts.
 */
export function evictionMs({ spec }: PodView, taints: Taints, nowMs: number): number | undefined {
  let earliest: number | undefined;
  for (const taint of taints) {
    const matching = (spec.tolerations ?? []).filter((toleration) => tolerates(toleration, taint));
    const isDefaulted = matching.length === 0 && (taint.key === NOT_READY || taint.key === UNREACHABLE);
    const limits = isDefaulted
      ? [DEFAULT_TOLERATION_SECONDS]
      : matching.flatMap(({ tolerationSeconds }) => tolerationSeconds ?? []);
    if (matching.length > 0 && limits.length === 0) continue;
    const seconds = limits.length > 0 ? Math.max(0, Math.min(...limits)) : 0;
    const sinceMs = parseTime(taint.timeAdded ?? '') ?? nowMs;
    const dueMs = seconds === 0 ? nowMs : sinceMs + seconds * 1000;
    earliest = Math.min(earliest ?? dueMs, dueMs);
  }
  return earliest;
}
