/** What has to happen on a node whatever the template: one pod where there should be one, none where there should not. */
import type { PodView } from '../pod-state.ts';
import { isReady } from '../pod-state.ts';
import type { DaemonNode } from './daemon-nodes.ts';
import { failuresWith, replaceInMs } from './daemon-pod.ts';

/** What the moves go by. */
export interface Rules {
  /** A node may have an old and a new pod at once. */
  surges: boolean;
  isUpdated(pod: PodView): boolean;
  isAvailable(pod: PodView): boolean;
  nowMs: number;
}

export interface Moves {
  create: { node: string; failures: number }[];
  remove: PodView[];
  /** Until a pod that failed may be replaced. */
  lookAgainMs: number | undefined;
}

const isLeaving = ({ metadata }: PodView): boolean => metadata.deletionTimestamp !== undefined;

/** Adds the moves on one node to `moves`. */
export function addNodeMoves({ name, isThere, placement, pods }: DaemonNode, rules: Rules, moves: Moves): void {
  if (!placement.stay) {
    // Pods that were bound to a node that is gone are ended by who cleans up after nodes.
    moves.remove.push(...pods.filter((pod) => !isLeaving(pod) && (isThere || !pod.spec.nodeName)));
    return;
  }
  let failures = 0;
  let waits = false;
  const running: PodView[] = [];
  for (const pod of pods) {
    if (isLeaving(pod)) continue;
    const { phase } = pod.status ?? {};
    const inMs = phase === 'Failed' ? replaceInMs(pod, rules.nowMs) : 0;
    if (inMs > 0) {
      moves.lookAgainMs = Math.min(moves.lookAgainMs ?? inMs, inMs);
      waits = true;
    } else if (phase === 'Failed' || phase === 'Succeeded') {
      moves.remove.push(pod);
      if (phase === 'Failed') failures = Math.max(failures, failuresWith(pod, rules.nowMs));
    } else running.push(pod);
  }
  // Without surge a pod that is still ending is waited for.
  const isFree = running.length === 0 && !waits && (rules.surges || !pods.some(isLeaving));
  if (placement.run && isFree) moves.create.push({ node: name, failures });
  moves.remove.push(...(rules.surges ? superfluousWhileSurging(running, rules) : running.slice(1)));
}

/** An old and a new pod may stay side by side while the old one serves and the new one does not yet. */
function superfluousWhileSurging(running: readonly PodView[], { isUpdated, isAvailable }: Rules): PodView[] {
  const [updated, ...moreUpdated] = running.filter(isUpdated);
  const [old, ...moreOld] = running.filter((pod) => !isUpdated(pod));
  const isOldDone = updated && old && (!isReady(old) || isAvailable(updated));
  return [...moreUpdated, ...moreOld, ...(isOldDone ? [old] : [])];
}
