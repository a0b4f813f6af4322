import { pod as podKind, type ResourceClaimTemplate, resourceClaim } from '@periplus/api';
import { type DeepReadonly, isControlledBy, ownerReferenceTo } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import { childNames } from '../child-names.ts';
import type { PodView } from '../pod-state.ts';
import type { ClaimView } from './claims-of-pods.ts';

/** Says for which entry of its pod's `spec.resourceClaims` a claim was made. */
const ENTRY_ANNOTATION = 'resource.kubernetes.io/pod-claim-name';

/** Leaves room for a hyphen and the random end of a generated name. */
const BASE_LENGTH_MAX = 57;

/** The claim that was made for an entry of a pod, whether or not the pod's status says so. */
export const claimMadeFor = (owner: PodView, entry: string, view: View): ClaimView | undefined =>
  view
    .owned(resourceClaim, owner.metadata.uid ?? '')
    .find((claim) => claim.metadata.annotations?.[ENTRY_ANNOTATION] === entry && isControlledBy(claim, owner));

/** A name that is too long loses of the pod's name and of the entry's, each by its share. */
function baseOf(pod: string, entry: string): string {
  const base = `${pod}-${entry}-`;
  if (base.length <= BASE_LENGTH_MAX) return base;
  const share = (part: string): string => part.slice(0, Math.floor((part.length * BASE_LENGTH_MAX) / base.length));
  return `${share(pod)}-${share(entry)}`;
}

/** Makes the claim for an entry of a pod. Its name follows from both, so that asking twice makes one claim. */
export function creation(
  owner: PodView,
  entry: string,
  { spec }: DeepReadonly<ResourceClaimTemplate>,
  view: View,
): Command {
  const { namespace = '', name: ownerName = '', uid } = owner.metadata;
  const isTaken = (name: string): boolean => view.get(resourceClaim, namespace, name) !== undefined;
  const [name = ''] = childNames(baseOf(ownerName, entry), `${uid}/${entry}`, 1, isTaken);
  const { labels, annotations } = spec.metadata ?? {};
  const metadata = {
    ...{ namespace, name, labels, annotations: { ...annotations, [ENTRY_ANNOTATION]: entry } },
    ownerReferences: [ownerReferenceTo(owner, podKind)],
  };
  const object = { apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaim', metadata, spec: spec.spec };
  return { verb: 'create', kind: resourceClaim as never, namespace, name, object };
}
