import type { IResourceClaim } from 'kubernetes-models/resource.k8s.io/v1/ResourceClaim';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind, keepMetadata } from '../define.ts';
import { checkImmutable } from '../field-rules.ts';
import type { Stored } from '../stored.ts';
import { requestNamesOf } from './claim-requests.ts';
import { type ClaimSpec, checkClaimSpec, setClaimSpecDefaults, setTolerationDefaults } from './claim-spec.ts';
import { checkClaimStatus, dropStatusOfReleased } from './claim-status.ts';

export type ResourceClaim = Stored<Omit<IResourceClaim, 'spec'>> & { spec: ClaimSpec };

/** https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#resourceclaims-templates */
export const resourceClaim = defineKind<ResourceClaim>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaim',
  plural: 'resourceclaims',
  namespaced: true,
  answersRemoved: true,
  columns: [
    nameColumn,
    {
      name: 'State',
      type: 'string',
      description: 'A summary of the current state (allocated, pending, reserved, etc.).',
      of({ metadata, status }) {
        const isDeleted = metadata.deletionTimestamp !== undefined;
        const states = isDeleted ? ['deleted'] : [];
        if (status?.allocation) states.push('allocated', ...(status.reservedFor?.length ? ['reserved'] : []));
        else if (!isDeleted) states.push('pending');
        return states.join(',');
      },
    },
    ageColumn,
  ],
  setDefaults(claim) {
    claim.spec ??= {} as ClaimSpec;
    setClaimSpecDefaults(claim.spec);
    for (const { tolerations } of claim.status?.allocation?.devices?.results ?? []) setTolerationDefaults(tolerations);
  },
  prepareForStatusUpdate(claim, old) {
    keepMetadata(claim.metadata, old.metadata);
    if (claim.status) dropStatusOfReleased(claim.status, old.status ?? {});
  },
  checkNew(errors, at, { spec }) {
    checkClaimSpec(errors, at.child('spec'), spec);
  },
  checkUpdate(errors, at, { spec }, old) {
    checkImmutable(errors, at, 'spec', spec, old.spec);
  },
  checkStatusUpdate(errors, at, { metadata, spec, status = {} }, old) {
    checkClaimStatus(errors, at.child('status'), status, old.status ?? {}, {
      known: requestNamesOf(spec.devices.requests ?? []),
      isDeleted: metadata.deletionTimestamp !== undefined,
    });
  },
});
