import { CLAIM_PROTECTION, pod, type ResourceClaim, resourceClaim, resourceClaimNamesOf } from '@periplus/api';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import { type Controller, defineController, idle, type Plan, watchRule } from '@periplus/reconcile';
import { release } from '../volume-protection/release.ts';
import { type ClaimView, isDone, mayHaveClaims, podBehind } from './claims-of-pods.ts';

type Consumer = NonNullable<NonNullable<ClaimView['status']>['reservedFor']>[number];

const isPod = ({ apiGroup, resource }: Consumer): boolean => !apiGroup && resource === 'pods';

/** Whether the pod is there and may run. A view that shows a reservation has shown its pod: it is not one to come. */
const isLive = (namespace: string, { name, uid }: Pick<Consumer, 'name' | 'uid'>, view: View): boolean => {
  const found = view.get(pod, namespace, name);
  return found?.metadata.uid === uid && !isDone(found);
};

const target = ({ metadata }: ClaimView) => ({
  kind: resourceClaim as never,
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
  ifUid: metadata.uid,
});

/** What is written of the status; refused when somebody has reserved the claim since. */
const setStatus = (claim: ClaimView, status: object): Command => ({
  ...target(claim),
  ...{ verb: 'patch', type: 'merge', subresource: 'status', ifResourceVersion: claim.metadata.resourceVersion },
  patch: { status },
});

/**
 * Gives back what the claim was allocated, then takes off the finalizer: not when it was allocated again in between,
 * which the second patch finds out by the status that the first one left.
 */
function deallocate(claim: ClaimView): Plan {
  const { finalizers = [] } = claim.metadata;
  const cleared = Object.fromEntries(Object.keys(claim.status ?? {}).map((member) => [member, null]));
  const patch = [
    { op: 'test', path: '/status', value: {} },
    { op: 'test', path: '/metadata/finalizers', value: finalizers },
    { op: 'replace', path: '/metadata/finalizers', value: finalizers.filter((one) => one !== CLAIM_PROTECTION) },
  ];
  return { steps: [[setStatus(claim, cleared)], [{ ...target(claim), verb: 'patch', type: 'json', patch }]] };
}

/**
 * Lets go of claims whose pods are done: takes these from `status.reservedFor`, gives back the devices when nobody is
 * left, and deletes claims that were made for a pod that is done. Pods that are gone leave the last to the garbage
 * collector. https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/
 */
export const claimReleaseController: Controller<ResourceClaim> = defineController<ResourceClaim>({
  name: 'resource-claim-release',
  for: resourceClaim,
  watches: [
    watchRule(
      pod,
      (now, old) => {
        const one = (now ?? old)!;
        const namespace = one.metadata.namespace ?? '';
        return now && !isDone(now) ? [] : resourceClaimNamesOf(one).map((name) => ({ namespace, name }));
      },
      mayHaveClaims,
    ),
  ],
  reportsAs: 'resource_claim',
  reconcile({ namespace, name }, view) {
    const claim = view.get(resourceClaim, namespace, name);
    const reservedFor = claim?.status?.reservedFor ?? [];
    // What else than pods may use claims, and for how long, nobody knows here.
    if (!claim || !reservedFor.every(isPod)) return idle;
    const kept = reservedFor.filter((consumer) => isLive(namespace, consumer, view));
    const isReleased = kept.length < reservedFor.length;
    if (kept.length > 0) return isReleased ? { steps: [[setStatus(claim, { reservedFor: kept })]] } : idle;
    const { deletionTimestamp, finalizers } = claim.metadata;
    const isProtected = finalizers?.includes(CLAIM_PROTECTION);
    if (isProtected && (isReleased || (deletionTimestamp && claim.status?.allocation))) return deallocate(claim);
    if (isReleased) return { steps: [[setStatus(claim, { reservedFor: null })]] };
    if (deletionTimestamp) return release(resourceClaim as never, claim, CLAIM_PROTECTION, () => false);
    return isLeftBehind(claim, view) ? { steps: [[{ ...target(claim), verb: 'delete' }]] } : idle;
  },
});

/** Made for a pod that is done, or whose name another one has by now. */
function isLeftBehind(claim: ClaimView, view: View): boolean {
  const { namespace = '' } = claim.metadata;
  const owner = podBehind(claim);
  return owner !== undefined && view.get(pod, namespace, owner.name) !== undefined && !isLive(namespace, owner, view);
}
