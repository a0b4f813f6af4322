import { isReservedFor, pod, resourceClaim, resourceClaimNamesOf, resourceSlice } from '@periplus/api';
import type { View } from '@periplus/cache';
import { type Controller, defineController, idle, mentions, type ObjectRef, watchRule } from '@periplus/reconcile';
import type { PodView } from '../pod-state.ts';
import { namedBy, uidRefOf } from '../uid-ref.ts';
import { evictionMs } from './device-eviction-time.ts';
import { claimsOnPool, type Pools, poolOf, poolsNow, type SliceView, slicesOfPool } from './device-pool.ts';
import { usersOf } from './device-users.ts';

/** The pools as they were before `old` became what it is now. */
const poolsBefore =
  (old: SliceView, view: View): Pools =>
  (pool) => {
    const others = poolsNow(view)(pool).filter(({ metadata }) => metadata.name !== old.metadata.name);
    return poolOf(old) === pool ? [...others, old] : others;
  };

/** Pods that were to leave their devices after a time, and may stay since a slice changed. */
function staying(old: SliceView | null, view: View): ObjectRef[] {
  if (!old) return [];
  return view
    .index(claimsOnPool, poolOf(old))
    .filter((claim) => {
      const dueMs = evictionMs(claim, poolsBefore(old, view), view.nowMs);
      return dueMs !== undefined && dueMs > view.nowMs && evictionMs(claim, poolsNow(view), view.nowMs) === undefined;
    })
    .flatMap((claim) => usersOf(claim, view))
    .map(uidRefOf);
}

/** Whether one of its devices makes the pod leave, now or later. */
const hasToLeave = (one: PodView, view: View): boolean =>
  resourceClaimNamesOf(one).some((name) => {
    const claim = view.get(resourceClaim, one.metadata.namespace ?? '', name);
    return claim && isReservedFor(claim, one) && evictionMs(claim, poolsNow(view), view.nowMs) !== undefined;
  });

/** Tells of pods that were to be evicted from devices with taints after a time, and are not any more. */
export const cancelledDeviceEvictionController: Controller = defineController({
  name: 'cancelled-device-eviction',
  for: null,
  watches: [
    watchRule(
      resourceSlice,
      (_now, old, view) => staying(old, view),
      (change) => change.type !== 'added' && mentions(change, '"NoExecute"'),
    ),
  ],
  indexes: [slicesOfPool, claimsOnPool],
  reportsAs: 'device-taint-eviction-controller',
  reconcile(ref, view) {
    const { namespace, name, uid } = namedBy(ref);
    const about = view.get(pod, namespace, name);
    if (about?.metadata.uid !== uid || about.metadata.deletionTimestamp || hasToLeave(about, view)) return idle;
    const [reason, message] = ['DeviceTaintManagerEviction', 'Cancelling deletion'];
    return { steps: [], events: [{ about, type: 'Normal', reason, message }] };
  },
});
