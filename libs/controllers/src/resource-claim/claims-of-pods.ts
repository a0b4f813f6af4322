import type { ResourceClaim } from '@periplus/api';
import { controllerOf, type DeepReadonly, type OwnerReference } from '@periplus/apimachinery';
import type { Change } from '@periplus/cache';
import { hasEnded, type PodView } from '../pod-state.ts';

export type ClaimView = DeepReadonly<ResourceClaim>;

/** What names a claim in a pod: `resourceClaims`, which never changes, and `extendedResourceClaimStatus`. */
const MEMBERS = ['"resourceClaims"', '"extendedResourceClaimStatus"'];

/** Whether the pod that changed may have claims, told without parsing it. */
export const mayHaveClaims = ({ entry }: Change): boolean => MEMBERS.some((member) => entry.mentions(member));

/** Surely runs nothing any more and never will. */
export const isDone = (pod: PodView): boolean =>
  hasEnded(pod) || (pod.metadata.deletionTimestamp !== undefined && !pod.spec.nodeName);

/** The pod that a claim was made for. */
export function podBehind(claim: ClaimView): DeepReadonly<OwnerReference> | undefined {
  const owner = controllerOf(claim);
  return owner?.kind === 'Pod' && owner.apiVersion === 'v1' ? owner : undefined;
}
