import { isReservedFor, type ResourceClaim, resourceClaimConflict, resourceClaimNameOf } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { ConfigError } from '../pod/config-error.ts';
import type { Pod } from '../pod/pod-types.ts';

type Claim = DeepReadonly<ResourceClaim>;

/**
 * Checks that the devices of a pod are there for it; `readClaim` reads a ResourceClaim of the pod's namespace. Rejects
 * with what the FailedPrepareDynamicResources event says. Drivers of devices can't register here, so a pod that was
 * given any does not start.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/
 */
export async function prepareDevices(pod: Pod, readClaim: (name: string) => Promise<Claim>): Promise<void> {
  try {
    for (const { name, isMade } of claimsOf(pod)) {
      const claim = await reading(name, readClaim(name));
      const conflict = isMade ? resourceClaimConflict(pod.metadata, claim) : undefined;
      if (conflict !== undefined) throw new ConfigError(conflict);
      checkDrivers(pod, claim);
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`Failed to prepare dynamic resources: prepare dynamic resources: ${error.message}`);
  }
}

/** The claims behind a pod's entries, and the one that stands for its extended resources. */
function claimsOf(pod: Pod): { name: string; isMade: boolean }[] {
  const claims: { name: string; isMade: boolean }[] = [];
  for (const entry of pod.spec.resourceClaims ?? []) {
    const name = resourceClaimNameOf(pod, entry);
    if (name === undefined) {
      const { namespace, name: podName } = pod.metadata;
      throw new ConfigError(`pod "${namespace}/${podName}": ResourceClaim not created yet`);
    }
    if (name !== null) claims.push({ name, isMade: entry.resourceClaimName === undefined });
  }
  const forExtended = pod.status?.extendedResourceClaimStatus?.resourceClaimName;
  return forExtended === undefined ? claims : [...claims, { name: forExtended, isMade: false }];
}

async function reading(name: string, read: Promise<Claim>): Promise<Claim> {
  try {
    return await read;
  } catch (error) {
    throw new ConfigError(`fetch ResourceClaim ${name}: ${(error as Error).message}`);
  }
}

function checkDrivers(pod: Pod, claim: Claim): void {
  const { name, uid } = claim.metadata;
  if (!isReservedFor(claim, pod)) {
    const who = `pod ${pod.metadata.name} (${pod.metadata.uid})`;
    throw new ConfigError(`${who} is not allowed to use ResourceClaim ${name} (${uid})`);
  }
  const allocation = claim.status?.allocation;
  if (!allocation) throw new ConfigError(`ResourceClaim ${name}: not allocated`);
  const [device] = allocation.devices?.results ?? [];
  if (device) throw new ConfigError(`DRA driver ${device.driver} is not registered`);
}
