import { describe, expect, test } from 'vitest';
import { at } from './field-error.ts';
import { dns1035Label, dns1123Subdomain } from './names.ts';
import type { ObjectMeta } from './object.ts';
import {
  ANNOTATIONS_BYTES_MAX,
  keepServerMeta,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from './object-meta-validation.ts';

const namespaced = { namespaced: true, nameRule: dns1123Subdomain };
const shown = (errors: { field: string; message: string }[]): string[] =>
  errors.map(({ field, message }) => `${field}: ${message}`);
const problemsOf = (meta: ObjectMeta, rules = namespaced): string[] =>
  shown(validateObjectMeta({ name: 'web', namespace: 'default', ...meta }, rules, at('metadata')));

const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'u' };

describe('new metadata', () => {
  test('is fine when it follows the rules', () => {
    const meta: ObjectMeta = {
      generateName: 'web-',
      labels: { app: 'web' },
      annotations: { 'Example.com/A': 'anything, "at" all' },
      ownerReferences: [
        { ...owner, controller: true },
        { ...owner, uid: 'v' },
      ],
      finalizers: ['example.com/clean-up', 'foregroundDeletion'],
    };
    expect(problemsOf(meta)).toEqual([]);
  });

  test('needs a name that fits the kind', () => {
    expect(problemsOf({ name: '' })).toEqual(['metadata.name: Required value: name or generateName is required']);
    expect(problemsOf({ name: 'Web' })).toEqual([
      expect.stringMatching(/^metadata.name: Invalid value: "Web": a lowercase RFC/),
    ]);
    expect(problemsOf({ name: '1a' }, { namespaced: true, nameRule: dns1035Label })).toHaveLength(1);
    expect(problemsOf({ generateName: 'Web-' })).toEqual([
      expect.stringMatching(/^metadata.generateName: Invalid value: "Web-"/),
    ]);
  });

  test('has a namespace just when its kind has', () => {
    expect(problemsOf({ namespace: '' })).toEqual(['metadata.namespace: Required value']);
    expect(problemsOf({ namespace: 'a.b' })).toEqual([
      'metadata.namespace: Invalid value: "a.b": must not contain dots',
    ]);
    expect(problemsOf({}, { ...namespaced, namespaced: false })).toEqual([
      'metadata.namespace: Forbidden: not allowed on this type',
    ]);
  });

  test('has annotations with good keys and not too many bytes', () => {
    expect(problemsOf({ annotations: { 'a b': '' } })).toEqual([
      expect.stringMatching(/^metadata.annotations: Invalid value: "a b": name part must consist of/),
    ]);
    const key = 'a';
    expect(problemsOf({ annotations: { [key]: 'x'.repeat(ANNOTATIONS_BYTES_MAX - 1) } })).toEqual([]);
    expect(problemsOf({ annotations: { [key]: 'ä'.repeat(ANNOTATIONS_BYTES_MAX / 2) } })).toEqual([
      'metadata.annotations: Too long: may not be more than 262144 bytes',
    ]);
  });

  test('has complete owners, of which one may be the controller', () => {
    const nobody = { apiVersion: 'apps/', kind: '', name: '', uid: '' };
    expect(problemsOf({ ownerReferences: [nobody] })).toEqual([
      'metadata.ownerReferences.apiVersion: Invalid value: "apps/": version must not be empty',
      'metadata.ownerReferences.kind: Invalid value: "": must not be empty',
      'metadata.ownerReferences.name: Invalid value: "": must not be empty',
      'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
    ]);
    const both = [
      { ...owner, controller: true },
      { ...owner, name: 'db', controller: true },
    ];
    expect(problemsOf({ ownerReferences: both })[0]).toMatch(
      /Only one reference can have Controller set to true. Found "true" in references for ReplicaSet\/web and ReplicaSet\/db$/,
    );
    expect(problemsOf({ ownerReferences: [{ ...owner, apiVersion: 'v1', kind: 'Event' }] })[0]).toMatch(
      /\/v1, Kind=Event is disallowed from being an owner$/,
    );
  });

  test('has finalizers that name their domain', () => {
    expect(problemsOf({ finalizers: ['mine'] })).toEqual([
      'metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ]);
    expect(problemsOf({ finalizers: ['orphan', 'foregroundDeletion'] })).toEqual([
      'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
    ]);
  });
});

describe('updated metadata', () => {
  const old: ObjectMeta = {
    name: 'web',
    namespace: 'default',
    uid: 'u1',
    resourceVersion: '5',
    generation: 2,
    creationTimestamp: '2026-11-21T10:00:00Z',
    finalizers: ['example.com/a'],
  };
  const problems = (meta: ObjectMeta, before = old): string[] =>
    shown(validateObjectMetaUpdate({ ...before, ...meta }, before, at('metadata')));

  test('may change what belongs to the user', () => {
    expect(problems({ labels: { a: 'b' }, annotations: { c: 'd' }, finalizers: [], generation: 3 })).toEqual([]);
  });

  test('may not change what belongs to the server', () => {
    expect(problems({ name: 'x', uid: 'u2', deletionTimestamp: '2026-11-21T11:00:00Z' })).toEqual([
      'metadata.name: Invalid value: "x": field is immutable',
      'metadata.uid: Invalid value: "u2": field is immutable',
      'metadata.deletionTimestamp: Invalid value: "2026-11-21T11:00:00Z": field is immutable',
    ]);
    expect(problems({ generation: 1 })).toEqual(['metadata.generation: Invalid value: 1: must not be decremented']);
  });

  test('gets no new finalizers once it is being deleted', () => {
    const deleted = { ...old, deletionTimestamp: '2026-11-21T11:00:00Z' };
    expect(problems({ finalizers: ['example.com/a', 'example.com/b'] }, deleted)).toEqual([
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/b"}',
    ]);
    expect(problems({ finalizers: [] }, deleted)).toEqual([]);
  });

  test('is completed with what clients leave out', () => {
    const meta: ObjectMeta = { name: 'web', creationTimestamp: '1999-01-01T00:00:00Z' };
    keepServerMeta(meta, { ...old, deletionTimestamp: '2026-11-21T11:00:00Z', deletionGracePeriodSeconds: 30 });
    expect(meta).toEqual({
      name: 'web',
      uid: 'u1',
      creationTimestamp: '2026-11-21T10:00:00Z',
      deletionTimestamp: '2026-11-21T11:00:00Z',
      deletionGracePeriodSeconds: 30,
    });
    const other: ObjectMeta = { uid: 'u2' };
    keepServerMeta(other, { uid: 'u1' });
    expect(other).toEqual({ uid: 'u2' });
  });
});
