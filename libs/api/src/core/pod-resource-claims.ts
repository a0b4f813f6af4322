import { controllerOf, type DeepReadonly, type KubeObject } from '@periplus/apimachinery';
import type { ResourceClaim } from '../resource/resource-claim.ts';
import type { Pod } from './pod-type.ts';

type PodView = Pick<DeepReadonly<Pod>, 'spec' | 'status'>;
type ClaimEntry = NonNullable<PodView['spec']['resourceClaims']>[number];

/** The finalizer of claims that have devices: they may be in use. */
export const CLAIM_PROTECTION = 'resource.kubernetes.io/delete-protection';

/**
 * The ResourceClaim behind an entry of a pod's `spec.resourceClaims`: the one that it names, or the one that was made
 * for it of a template, which the pod's status names. Null: the entry needs none. Undefined: not made yet.
 */
export function resourceClaimNameOf({ status }: PodView, entry: ClaimEntry): string | null | undefined {
  if (entry.resourceClaimName !== undefined) return entry.resourceClaimName;
  const made = status?.resourceClaimStatuses?.find(({ name }) => name === entry.name);
  return made && (made.resourceClaimName ?? null);
}

/** The ResourceClaims of a pod, as far as there are any: their names within its namespace. */
export function resourceClaimNamesOf(pod: PodView): string[] {
  const named = (pod.spec.resourceClaims ?? []).flatMap((entry) => resourceClaimNameOf(pod, entry) ?? []);
  const forExtended = pod.status?.extendedResourceClaimStatus?.resourceClaimName;
  return forExtended === undefined ? named : [...named, forExtended];
}

/**
 * Why the ResourceClaim behind an entry with a template is none of the pod's: it was not made for this pod. Undefined
 * when it was. https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/
 */
export function resourceClaimConflict(
  pod: Pick<DeepReadonly<KubeObject>['metadata'], 'namespace' | 'name' | 'uid'>,
  claim: DeepReadonly<KubeObject>,
): string | undefined {
  if (controllerOf(claim)?.uid === pod.uid) return undefined;
  const { namespace, name } = claim.metadata;
  return `ResourceClaim ${namespace}/${name} was not created for Pod ${pod.namespace}/${pod.name} (Pod is not owner)`;
}

/** Whether a pod may use what the claim was allocated. */
export const isReservedFor = (
  { status }: DeepReadonly<ResourceClaim>,
  { metadata }: Pick<DeepReadonly<KubeObject>, 'metadata'>,
): boolean => status?.reservedFor?.some(({ uid }) => uid === metadata.uid) ?? false;
