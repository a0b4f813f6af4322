import { pod, type ResourceClaim, resourceClaim, resourceClaimNamesOf, resourceSlice } from '@periplus/api';
import type { Command } from '@periplus/client';
import { type Controller, defineController, idle, mentions, type PlannedEvent, watchRule } from '@periplus/reconcile';
import { podTarget } from '../pod-commands.ts';
import type { PodView } from '../pod-state.ts';
import { mayHaveClaims } from '../resource-claim/claims-of-pods.ts';
import { evictionMs } from './device-eviction-time.ts';
import { claimsOnPool, poolOf, poolsNow, slicesOfPool } from './device-pool.ts';
import { usersOf } from './device-users.ts';

const evict = (target: PodView): Command => ({
  ...podTarget(target),
  verb: 'delete',
  disruption: {
    reason: 'DeletionByDeviceTaintManager',
    message: 'Device Taint manager: deleting due to NoExecute taint',
  },
});

const told = (about: PodView, after: Command): PlannedEvent => ({
  ...{ about, type: 'Normal', reason: 'DeviceTaintManagerEviction', message: 'Marking for deletion', after },
});

/**
 * Evicts pods whose devices have a NoExecute taint that their claim does not tolerate, or no longer does.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#device-taints-and-tolerations
 */
export const deviceTaintEvictionController: Controller<ResourceClaim> = defineController<ResourceClaim>({
  name: 'device-taint-eviction',
  for: resourceClaim,
  watches: [
    watchRule(
      resourceSlice,
      (now, old, view) => {
        const pools = new Set([now, old].flatMap((slice) => (slice ? [poolOf(slice)] : [])));
        return [...pools]
          .flatMap((pool) => view.index(claimsOnPool, pool))
          .map(({ metadata }) => ({ namespace: metadata.namespace ?? '', name: metadata.name ?? '' }));
      },
      // Without a slice of a newer generation those of an older one count again.
      (change) => change.type === 'deleted' || mentions(change, '"NoExecute"'),
    ),
    watchRule(
      pod,
      (now, old) => {
        if (!now?.spec.nodeName || old?.spec.nodeName) return [];
        return resourceClaimNamesOf(now).map((name) => ({ namespace: now.metadata.namespace ?? '', name }));
      },
      (change) => change.type !== 'deleted' && mayHaveClaims(change),
    ),
  ],
  indexes: [slicesOfPool, claimsOnPool],
  reconcile({ namespace, name }, view) {
    const claim = view.get(resourceClaim, namespace, name);
    const dueMs = claim && evictionMs(claim, poolsNow(view), view.nowMs);
    const users = claim && dueMs !== undefined ? usersOf(claim, view) : [];
    if (dueMs === undefined || users.length === 0) return idle;
    if (dueMs > view.nowMs) return { steps: [], lookAgainMs: dueMs - view.nowMs };
    const deletions = users.map(evict);
    return { steps: [deletions], events: users.map((user, at) => told(user, deletions[at]!)) };
  },
});
