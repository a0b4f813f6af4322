import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { etcdErrorOf } from './error.ts';

test.for([
  ['etcdserver: mvcc: required revision has been compacted', status.OUT_OF_RANGE, 'Compacted', 'refused'],
  ['etcdserver: mvcc: database space exceeded', status.RESOURCE_EXHAUSTED, 'NoSpace', 'unknown'],
  ['etcdserver: permission denied', status.PERMISSION_DENIED, 'PermissionDenied', 'refused'],
  ['etcdserver: requested lease not found', status.NOT_FOUND, 'LeaseNotFound', 'refused'],
  ['etcdserver: request is too large', status.INVALID_ARGUMENT, 'TooLarge', 'refused'],
  ['etcdserver: duplicate key given in txn request', status.INVALID_ARGUMENT, 'InvalidArgument', 'refused'],
  ['etcdserver: request timed out', status.UNAVAILABLE, 'Unavailable', 'unknown'],
  ['etcdserver: no leader', status.UNAVAILABLE, 'Unavailable', 'refused'],
  ['etcdserver: too many requests', status.RESOURCE_EXHAUSTED, 'Unavailable', 'refused'],
  ['Deadline exceeded after 5.000s', status.DEADLINE_EXCEEDED, 'DeadlineExceeded', 'unknown'],
  ['Received RST_STREAM with code 2', status.INTERNAL, 'Unavailable', 'unknown'],
  ['something new', status.UNKNOWN, 'Unknown', 'unknown'],
] as const)('"%s" with code %i is %s, %s', ([message, code, reason, outcome]) => {
  expect(etcdErrorOf(message, code)).toMatchObject({ name: 'EtcdError', message, reason, outcome });
});

test('a reason to cancel a watch comes without a code', () => {
  expect(etcdErrorOf('etcdserver: permission denied')).toMatchObject({ reason: 'PermissionDenied' });
});
