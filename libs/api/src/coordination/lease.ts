import type { ILease } from 'kubernetes-models/coordination.k8s.io/v1/Lease';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Stored } from '../stored.ts';

export type Lease = Stored<ILease, 'spec'>;

/** https://kubernetes.io/docs/concepts/architecture/leases/ */
export const lease = defineKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
  columns: [
    nameColumn,
    { name: 'Holder', type: 'string', description: 'Who holds it', of: ({ spec }) => spec.holderIdentity ?? '' },
    ageColumn,
  ],
  setDefaults(lease) {
    lease.spec ??= {};
  },
});
