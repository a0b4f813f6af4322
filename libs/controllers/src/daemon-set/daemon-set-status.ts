import { availableInMs, isReady, type PodView } from '../pod-state.ts';
import { unlessZero } from '../status-change.ts';
import type { DaemonNode } from './daemon-nodes.ts';
import type { DaemonSetView } from './placement.ts';

/**
 * The status of a set, and the time until a pod becomes available without anything changing. A node is served while one
 * of its pods is, and updated when none of an old template is left on it. Which pod is the older one can't be asked:
 * creation times have seconds, and a surge is often quicker.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/daemon-set-v1/#DaemonSetStatus
 */
export function daemonSetStatus(
  set: DaemonSetView,
  nodes: readonly DaemonNode[],
  isUpdated: (pod: PodView) => boolean,
  nowMs: number,
): { status: object; lookAgainMs: number | undefined } {
  let [desired, current, misscheduled, ready, available, updated] = [0, 0, 0, 0, 0, 0];
  let lookAgainMs: number | undefined;
  for (const { isThere, placement, pods } of nodes) {
    if (!isThere) continue;
    if (!placement.run) {
      if (pods.length > 0) misscheduled += 1;
      continue;
    }
    desired += 1;
    if (pods.length === 0) continue;
    current += 1;
    if (pods.some(isReady)) ready += 1;
    if (pods.every(isUpdated)) updated += 1;
    const waits = pods.map((pod) => availableInMs(pod, set.spec.minReadySeconds ?? 0, nowMs));
    if (waits.includes(0)) available += 1;
    for (const inMs of waits) if (inMs) lookAgainMs = Math.min(lookAgainMs ?? inMs, inMs);
  }
  const status = {
    ...set.status,
    currentNumberScheduled: current,
    numberMisscheduled: misscheduled,
    desiredNumberScheduled: desired,
    numberReady: ready,
    observedGeneration: set.metadata.generation,
    updatedNumberScheduled: unlessZero(updated),
    numberAvailable: unlessZero(available),
    numberUnavailable: unlessZero(desired - available),
  };
  return { status, lookAgainMs };
}
