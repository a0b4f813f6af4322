import { describe, expect, it } from 'vitest';
import { createProblems } from '../testing/objects.ts';
import { localSubjectAccessReview } from './local-subject-access-review.ts';
import { selfSubjectAccessReview } from './self-subject-access-review.ts';
import { subjectAccessReview } from './subject-access-review.ts';

const apiVersion = 'authorization.k8s.io/v1';
const resource = { resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'shop' } };
const path = { nonResourceAttributes: { verb: 'get', path: '/healthz' } };
const both =
  'spec.nonResourceAttributes: Invalid value: {"verb":"get","path":"/healthz"}: cannot be specified in combination with resourceAttributes';
const neither =
  'spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified';
const nobody = 'spec.user: Invalid value: "": at least one of user or group must be specified';

describe('a review of access', () => {
  it.each<[string, object, object, string[]]>([
    ['to a resource', { user: 'ann', ...resource }, {}, []],
    ['to a path, of a group', { groups: ['crew'], ...path }, {}, []],
    ['to both', { user: 'ann', ...resource, ...path }, {}, [both]],
    ['to nothing, of nobody', {}, {}, [neither, nobody]],
    [
      'with a name',
      { user: 'ann', ...resource },
      { name: 'x' },
      ['metadata: Invalid value: {"name":"x"}: must be empty'],
    ],
  ])('%s', (_, spec, metadata, expected) => {
    const review = { apiVersion, kind: 'SubjectAccessReview', metadata, spec } as never;
    expect(createProblems(subjectAccessReview, review)).toEqual(expected);
  });

  it('of oneself names nobody', () => {
    const review = { apiVersion, kind: 'SelfSubjectAccessReview', metadata: {}, spec: {} } as never;
    expect(createProblems(selfSubjectAccessReview, review)).toEqual([neither]);
  });

  it.each<[string, object, object, string[]]>([
    ['there', resource, { namespace: 'shop' }, []],
    [
      'elsewhere',
      resource,
      { namespace: 'home' },
      ['spec.resourceAttributes.namespace: Invalid value: "shop": must match metadata.namespace'],
    ],
    [
      'to a path',
      path,
      { namespace: 'shop', name: 'x' },
      [
        'metadata: Invalid value: {"namespace":"shop","name":"x"}: must be empty except for namespace',
        'spec.nonResourceAttributes: Invalid value: {"verb":"get","path":"/healthz"}: disallowed on this kind of request',
      ],
    ],
  ])('in a namespace %s', (_, spec, metadata, expected) => {
    const review = { apiVersion, kind: 'LocalSubjectAccessReview', metadata, spec: { user: 'ann', ...spec } } as never;
    expect(createProblems(localSubjectAccessReview, review)).toEqual(expected);
  });

  it('is never stored', () => {
    expect(subjectAccessReview).toMatchObject({ isStored: false, hasStatus: false, verbs: ['create'] });
  });
});
