import { expect, test } from 'vitest';
import { apiVersionOf, parseApiVersion } from './api-version.ts';
import { controllerOf, isControlledBy, ownerReferenceTo } from './owner-references.ts';

const owner = { metadata: { name: 'web', uid: 'u1' } };
const kind = { group: 'apps', version: 'v1', kind: 'ReplicaSet' };

test('a reference makes its owner the controller', () => {
  const reference = ownerReferenceTo(owner, kind);
  expect(reference).toEqual({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name: 'web',
    uid: 'u1',
    controller: true,
    blockOwnerDeletion: true,
  });
  const owned = { metadata: { ownerReferences: [{ ...reference, uid: 'u0', controller: false }, reference] } };
  expect(controllerOf(owned)).toBe(reference);
  expect(isControlledBy(owned, owner)).toBe(true);
  expect(isControlledBy(owned, { metadata: { name: 'web', uid: 'u2' } })).toBe(false);
});

test('an object without owners is controlled by nobody, not even by who has no uid', () => {
  expect(controllerOf({ metadata: {} })).toBeUndefined();
  expect(isControlledBy({ metadata: {} }, { metadata: {} })).toBe(false);
});

test('the core group has no name', () => {
  expect(apiVersionOf({ group: '', version: 'v1' })).toBe('v1');
  expect(parseApiVersion('v1')).toEqual({ group: '', version: 'v1' });
  expect(parseApiVersion('apps/v1')).toEqual({ group: 'apps', version: 'v1' });
  expect(parseApiVersion('a/b/c')).toBeUndefined();
});
