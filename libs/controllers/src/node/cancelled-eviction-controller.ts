import { node, pod } from '@periplus/api';
import type { View } from '@periplus/cache';
import { type Controller, defineController, idle, mentions, type ObjectRef, watchRule } from '@periplus/reconcile';
import type { PodView } from '../pod-state.ts';
import { namedBy, uidRefOf } from '../uid-ref.ts';
import { evictingTaints, evictingTaintsOn, evictionMs } from './eviction-time.ts';
import { nodesNamedBy, podsOnNode } from './node-controller.ts';
import type { NodeView } from './node-taints.ts';

type Taints = ReturnType<typeof evictingTaints>;

/** Whether a pod that tolerates the taints for a time still has some of it. */
const isWaiting = (one: PodView, taints: Taints, nowMs: number): boolean =>
  (evictionMs(one, taints, nowMs) ?? nowMs) > nowMs;

/** Pods that were to leave the node, and may stay since its taints changed. */
function stayingOn(now: NodeView | null, old: NodeView | null, view: View): ObjectRef[] {
  if (!now || !old) return [];
  const [before, after] = [evictingTaints(old), evictingTaints(now)];
  if (before.length === 0) return [];
  const mayStay = (one: PodView): boolean =>
    isWaiting(one, before, view.nowMs) && evictionMs(one, after, view.nowMs) === undefined;
  return view
    .index(podsOnNode, now.metadata.name ?? '')
    .filter(mayStay)
    .map(uidRefOf);
}

/** A pod that was to leave its node, and has gone before, or tolerates its taints for good now. */
function goneOrTolerant(now: PodView | null, old: PodView | null, view: View): ObjectRef[] {
  const taints = old?.spec.nodeName ? evictingTaintsOn(old.spec.nodeName, view) : [];
  if (!old || !isWaiting(old, taints, view.nowMs)) return [];
  return now && evictionMs(now, taints, view.nowMs) !== undefined ? [] : [uidRefOf(old)];
}

/** Tells of pods that were to be evicted by their node's taints after a time, and are not any more. */
export const cancelledEvictionController: Controller = defineController({
  name: 'cancelled-eviction',
  for: null,
  watches: [
    watchRule(node, stayingOn, (change) => change.type === 'modified' && mentions(change, '"NoExecute"')),
    watchRule(
      pod,
      goneOrTolerant,
      ({ type, entry }, view) =>
        type !== 'added' && nodesNamedBy(entry).some((name) => evictingTaintsOn(name, view).length > 0),
    ),
  ],
  indexes: [podsOnNode],
  reportsAs: 'taint-eviction-controller',
  reconcile(ref, view) {
    const { namespace, name, uid } = namedBy(ref);
    const found = view.get(pod, namespace, name);
    const isSame = found?.metadata.uid === uid;
    // By now it may have to leave again.
    const taints = isSame && found.spec.nodeName ? evictingTaintsOn(found.spec.nodeName, view) : [];
    if (isSame && evictionMs(found, taints, view.nowMs) !== undefined) return idle;
    const about = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name, uid } };
    const message = `Cancelling deletion of Pod ${namespace}/${name}`;
    return { steps: [], events: [{ about, type: 'Normal', reason: 'TaintManagerEviction', message }] };
  },
});
