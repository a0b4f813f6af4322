import { expect, it } from 'vitest';
import { createProblems } from '../testing/objects.ts';
import { type Lease, lease } from './lease.ts';

it.each<[string, Lease['spec'], string[]]>([
  ['that nobody holds', {}, []],
  ['that somebody holds', { holderIdentity: 'me', leaseDurationSeconds: 15, leaseTransitions: 0 }, []],
  [
    'with odd numbers',
    { leaseDurationSeconds: 0, leaseTransitions: -1 },
    [
      'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
      'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
    ],
  ],
])('a lease %s', (_what, spec, expected) => {
  const metadata = { name: 'leader', namespace: 'kube-system' };
  expect(createProblems(lease, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec })).toEqual(
    expected,
  );
});
