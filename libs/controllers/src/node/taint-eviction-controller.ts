import { type Node, node, pod, sameValue } from '@periplus/api';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import { defineController, idle, type ObjectRef, type PlannedEvent, watchRule } from '@periplus/reconcile';
import { disruption, patchPodStatus, podTarget } from '../pod-commands.ts';
import type { PodView } from '../pod-state.ts';
import { evictingTaintsOn, evictionMs } from './eviction-time.ts';
import { nodesNamedBy, podsOnNode } from './node-controller.ts';

/** The node of a pod that came to it or changed its mind, where that matters. */
function nodeOf(now: PodView | null, old: PodView | null, view: View): ObjectRef[] {
  const name = now?.spec.nodeName;
  if (!name || !concerns(now, old) || evictingTaintsOn(name, view).length === 0) return [];
  return [{ namespace: '', name }];
}

/** Only a pod's coming to its node, and its tolerations, change what is due. */
const concerns = (now: PodView, old: PodView | null): boolean =>
  now.spec.nodeName !== old?.spec.nodeName || !sameValue(now.spec.tolerations, old?.spec.tolerations);

/**
 * Evicts pods that do not tolerate the NoExecute taints of their node, or no longer do.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
 */
export const taintEvictionController = defineController<Node>({
  name: 'taint-eviction',
  for: node,
  watches: [
    watchRule(pod, nodeOf, ({ entry }, view) =>
      nodesNamedBy(entry).some((name) => evictingTaintsOn(name, view).length > 0),
    ),
  ],
  indexes: [podsOnNode],
  reconcile({ name }, view) {
    const taints = evictingTaintsOn(name, view);
    if (taints.length === 0) return idle;
    const marks: Command[] = [];
    const deletions: Command[] = [];
    const events: PlannedEvent[] = [];
    let nextMs: number | undefined;
    for (const candidate of view.index(podsOnNode, name)) {
      if (candidate.metadata.deletionTimestamp) continue;
      const dueMs = evictionMs(candidate, taints, view.nowMs);
      if (dueMs === undefined) continue;
      if (dueMs > view.nowMs) {
        nextMs = Math.min(nextMs ?? dueMs, dueMs);
        continue;
      }
      const deletion: Command = { ...podTarget(candidate), verb: 'delete' };
      marks.push(mark(candidate, view.nowMs));
      deletions.push(deletion);
      events.push(eviction(candidate, deletion));
    }
    return {
      steps: [marks, deletions].filter((step) => step.length > 0),
      events,
      lookAgainMs: nextMs === undefined ? undefined : nextMs - view.nowMs,
    };
  },
});

const mark = (evicted: PodView, nowMs: number): Command => {
  const condition = disruption(
    evicted,
    'DeletionByTaintManager',
    'Taint manager: deleting due to NoExecute taint',
    nowMs,
  );
  return patchPodStatus(evicted, { conditions: [condition] });
};

const eviction = (about: PodView, after: Command): PlannedEvent => ({
  about,
  type: 'Normal',
  reason: 'TaintManagerEviction',
  message: `Marking for deletion Pod ${about.metadata.namespace}/${about.metadata.name}`,
  after,
});
