import type { DynamicFilter, NodeCheck } from '../plugin.ts';
import type { PodShape } from '../pod-shape.ts';

/** What a pod that asks for devices lacks: ResourceClaims are not served, so there is none that it could mean. */
function obstacle({ devices }: PodShape): string | null {
  const [first] = devices;
  if (first === undefined) return null;
  const { resourceClaimName } = first;
  return resourceClaimName === undefined
    ? 'ResourceClaim not created yet'
    : `resourceclaim.resource.k8s.io ${JSON.stringify(resourceClaimName)} not found`;
}

function prepare(shape: PodShape): NodeCheck | null {
  const reason = obstacle(shape);
  return reason === null ? null : () => [reason];
}

/**
 * Keeps pods that ask for devices from running without them.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/
 */
export const dynamicResources: DynamicFilter = {
  name: 'DynamicResources',
  wakesOn: [],
  refusesAll: obstacle,
  prepare,
  prepareLasting: prepare,
};
