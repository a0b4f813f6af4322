import type { ResourceClaim } from '@periplus/api';
import { controllerOf, type DeepReadonly, type OwnerReference } from '@periplus/apimachinery';
import type { Change } from '@periplus/cache';
import { hasEnded, type PodView } from '../pod-state.ts';

export type ClaimView = DeepReadonly<ResourceClaim>;

/** What names a claim in a pod: `resourceClaims`, which never changes, and `extendedResourceClaimStatus`. */
const MEMBER = 'esourceClaim';

/** Several controllers ask about one change after another: it is looked through once. */
let asked: Change['entry'] | undefined;
let found = false;

/** Whether the pod that changed may have claims, told without parsing it. */
export function mayHaveClaims({ entry }: Change): boolean {
  if (entry !== asked) {
    found = entry.bytes.includes(MEMBER);
    asked = entry;
  }
  return found;
}

/** Surely runs nothing any more and never will. */
export const isDone = (pod: PodView): boolean =>
  hasEnded(pod) || (pod.metadata.deletionTimestamp !== undefined && !pod.spec.nodeName);

/** The pod that a claim was made for. */
export function podBehind(claim: ClaimView): DeepReadonly<OwnerReference> | undefined {
  const owner = controllerOf(claim);
  return owner?.kind === 'Pod' && owner.apiVersion === 'v1' ? owner : undefined;
}
