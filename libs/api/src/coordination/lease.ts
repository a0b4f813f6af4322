import type { DeepReadonly, FieldPath } from '@periplus/apimachinery';
import type { ILease } from 'kubernetes-models/coordination.k8s.io/v1/Lease';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { checkNonNegative, type Errors } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import type { Stored } from '../stored.ts';

export type Lease = Stored<ILease, 'spec'>;

function check(errors: Errors, at: FieldPath, { spec }: DeepReadonly<Lease>): void {
  const place = at.child('spec');
  const seconds = spec.leaseDurationSeconds;
  if (seconds !== undefined && seconds <= 0) {
    errors.push(place.child('leaseDurationSeconds').invalid(seconds, 'must be greater than 0'));
  }
  checkNonNegative(errors, place, 'leaseTransitions', spec.leaseTransitions);
  if (spec.preferredHolder && !spec.strategy) {
    const detail = 'may only be specified if `strategy` is defined';
    errors.push(place.child('preferredHolder').forbidden(detail));
  }
}

/** https://kubernetes.io/docs/concepts/architecture/leases/ */
export const lease = defineKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
  createdByUpdate: true,
  updatedByVersionOnly: true,
  columns: [
    nameColumn,
    {
      name: 'Holder',
      type: 'string',
      description: fieldText('coordination.k8s.io/v1.LeaseSpec.holderIdentity'),
      of: ({ spec }) => spec.holderIdentity ?? '',
    },
    ageColumn,
  ],
  check,
  setDefaults(lease) {
    lease.spec ??= {};
  },
});
