import { availableInMs, isReady, type PodView } from '../pod-state.ts';
import { unlessZero } from '../status-change.ts';
import type { DaemonNode } from './daemon-nodes.ts';
import type { DaemonSetView } from './placement.ts';

/**
 * The status of a set, and the time until a pod becomes available without anything changing. Of several pods on a node
 * the first counts. https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/daemon-set-v1/#DaemonSetStatus
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
    const [pod] = pods;
    if (!placement.run) {
      if (pod) misscheduled += 1;
      continue;
    }
    desired += 1;
    if (!pod) continue;
    current += 1;
    if (isReady(pod)) ready += 1;
    if (isUpdated(pod)) updated += 1;
    for (const one of pods) {
      const inMs = availableInMs(one, set.spec.minReadySeconds ?? 0, nowMs);
      if (inMs === 0) available += one === pod ? 1 : 0;
      else if (inMs !== undefined) lookAgainMs = Math.min(lookAgainMs ?? inMs, inMs);
    }
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
