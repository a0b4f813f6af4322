import { CLAIM_PROTECTION, type Kind, type Pod, resourceClaim } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { Command } from '@periplus/client';
import type { Allocation, Claim } from './resource-types.ts';

export type UserOfClaim = Pick<DeepReadonly<Pod>['metadata'], 'name' | 'uid'>;

const target = ({ metadata }: Claim) => ({
  kind: resourceClaim as unknown as Kind,
  namespace: metadata.namespace!,
  name: metadata.name!,
  ifUid: metadata.uid!,
});

export const isProtected = ({ metadata }: Claim): boolean => metadata.finalizers?.includes(CLAIM_PROTECTION) === true;

export const protect = (claim: Claim): Command => ({
  ...target(claim),
  ...{ verb: 'patch', type: 'strategic', ifResourceVersion: claim.metadata.resourceVersion },
  patch: { metadata: { finalizers: [CLAIM_PROTECTION] } },
});

/** Writes who has the claim, and what it has, if that is new. */
export const reserve = (
  claim: Claim,
  ifResourceVersion: string,
  pods: readonly UserOfClaim[],
  allocation: Allocation | null,
): Command => ({
  ...{ ...target(claim), ifResourceVersion },
  ...{ subresource: 'status', verb: 'patch', type: 'strategic' },
  patch: {
    status: {
      ...(allocation && { allocation }),
      reservedFor: pods.map(({ name, uid }) => ({ resource: 'pods', name, uid })),
    },
  },
});

/** Takes back that pods have the claim. */
export const unreserve = (claim: Claim, pods: readonly UserOfClaim[]): Command => ({
  ...target(claim),
  ...{ subresource: 'status', verb: 'patch', type: 'strategic' },
  patch: { status: { reservedFor: pods.map(({ uid }) => ({ $patch: 'delete', uid })) } },
});

/** Takes its devices from a claim that nobody uses. */
export const deallocate = (claim: Claim): Command => ({
  ...target(claim),
  ...{ subresource: 'status', verb: 'patch', type: 'merge', ifResourceVersion: claim.metadata.resourceVersion },
  patch: { status: { allocation: null, reservedFor: null, devices: null } },
});
