import { type ResourceClaim, tolerates } from '@periplus/api';
import { type DeepReadonly, parseTime } from '@periplus/apimachinery';
import { type AllocatedDevice, devicesOf, evictingTaints, type Pools, type Taint } from './device-pool.ts';

/**
 * When a taint of a device evicts: milliseconds since the epoch, or undefined when it is tolerated for good. Seconds
 * count only where the toleration is of NoExecute alone. Of several tolerations of one taint the shortest counts.
 */
function dueMs({ tolerations = [] }: AllocatedDevice, taint: Taint, nowMs: number): number | undefined {
  const sinceMs = parseTime(taint.timeAdded ?? '') ?? nowMs;
  let seconds = Number.POSITIVE_INFINITY;
  for (const toleration of tolerations) {
    if (!tolerates(toleration, taint)) continue;
    if (toleration.effect !== 'NoExecute' || toleration.tolerationSeconds === undefined) return undefined;
    seconds = Math.min(seconds, Math.max(0, toleration.tolerationSeconds));
  }
  return seconds === Number.POSITIVE_INFINITY ? sinceMs : sinceMs + seconds * 1000;
}

/** When the taints of a claim's devices evict the pods that use it; undefined: never. */
export function evictionMs(claim: DeepReadonly<ResourceClaim>, pools: Pools, nowMs: number): number | undefined {
  let earliest: number | undefined;
  for (const device of devicesOf(claim)) {
    for (const taint of evictingTaints(device, pools)) {
      const due = dueMs(device, taint, nowMs);
      if (due !== undefined) earliest = Math.min(earliest ?? due, due);
    }
  }
  return earliest;
}
