import { describe, expect, it } from 'vitest';
import type { Attributes, User } from '../types.ts';
import { Rbac, type RbacObjects } from './rbac.ts';

const asked = (verb: string, resource: string, namespace = '', name = ''): Attributes => ({
  ...{ isResource: true, verb, group: '', version: 'v1', resource, subresource: '', namespace, name, path: '' },
});
const user = (name: string, ...groups: string[]): User => ({ name, uid: '', groups, extra: {} });
const rules = (verb: string, resource: string) => [{ verbs: [verb], apiGroups: [''], resources: [resource] }];
const ref = (kind: string, name: string) => ({ kind, name, apiGroup: 'rbac.authorization.k8s.io' });

/** Objects with nothing but what is read of them. */
const rbacOf = (objects: { [Kind in keyof RbacObjects]?: object[] }): Rbac => {
  const of = (kind: keyof RbacObjects) => () => (objects[kind] ?? []) as never;
  return new Rbac({
    clusterRoles: of('clusterRoles'),
    roles: of('roles'),
    clusterRoleBindings: of('clusterRoleBindings'),
    roleBindings: of('roleBindings'),
  });
};

describe('a binding', () => {
  const rbac = rbacOf({
    clusterRoles: [{ metadata: { name: 'reader' }, rules: rules('get', 'pods') }],
    roles: [{ metadata: { name: 'writer', namespace: 'a' }, rules: rules('create', 'pods') }],
    clusterRoleBindings: [
      { metadata: { name: 'x' }, roleRef: ref('ClusterRole', 'reader'), subjects: [{ kind: 'Group', name: 'all' }] },
    ],
    roleBindings: [
      {
        metadata: { name: 'y', namespace: 'a' },
        roleRef: ref('Role', 'writer'),
        subjects: [
          { kind: 'User', name: 'jane' },
          { kind: 'ServiceAccount', name: 'robot', namespace: 'b' },
          { kind: 'ServiceAccount', name: 'local' },
        ],
      },
      {
        metadata: { name: 'z', namespace: 'b' },
        roleRef: ref('ClusterRole', 'reader'),
        subjects: [{ kind: 'User', name: 'bob' }],
      },
    ],
  });

  it.each<[string, User, Attributes, boolean]>([
    ['of a cluster role holds in every namespace', user('x', 'all'), asked('get', 'pods', 'any'), true],
    ['of a cluster role holds for the cluster', user('x', 'all'), asked('get', 'pods'), true],
    ['holds for its subjects only', user('x', 'some'), asked('get', 'pods', 'any'), false],
    ['in a namespace holds there', user('jane'), asked('create', 'pods', 'a'), true],
    ['in a namespace holds in no other', user('jane'), asked('create', 'pods', 'b'), false],
    ['in a namespace is not for the cluster', user('jane'), asked('create', 'pods'), false],
    ['of a cluster role in a namespace holds there only', user('bob'), asked('get', 'pods', 'b'), true],
    ['of a cluster role in a namespace holds nowhere else', user('bob'), asked('get', 'pods', 'a'), false],
    ['reaches accounts of other namespaces', user('system:serviceaccount:b:robot'), asked('create', 'pods', 'a'), true],
    [
      'takes an account for one of its own namespace',
      user('system:serviceaccount:a:local'),
      asked('create', 'pods', 'a'),
      true,
    ],
    ['does not take a user for a group of that name', user('all'), asked('get', 'pods'), false],
  ])('%s', (_, who, request, allowed) => {
    expect(rbac.decide(who, request).allowed).toBe(allowed);
    // Asked twice, the answer comes from memory.
    expect(rbac.decide(who, request).allowed).toBe(allowed);
  });
});

describe('an explanation', () => {
  const subjects = [
    { kind: 'ServiceAccount', name: 'robot' },
    { kind: 'Group', name: 'crew' },
  ];
  const rbac = rbacOf({
    clusterRoles: [{ metadata: { name: 'reader' }, rules: rules('get', 'pods') }],
    clusterRoleBindings: [
      { metadata: { name: 'x' }, roleRef: ref('ClusterRole', 'reader'), subjects: [{ kind: 'User', name: 'ann' }] },
      { metadata: { name: 'l' }, roleRef: ref('ClusterRole', 'lost'), subjects: [{ kind: 'User', name: 'lost' }] },
      { metadata: { name: 'g' }, roleRef: ref('ClusterRole', 'gone'), subjects: [{ kind: 'User', name: 'lost' }] },
    ],
    roleBindings: [{ metadata: { name: 'y', namespace: 'a' }, roleRef: ref('ClusterRole', 'reader'), subjects }],
  });

  it.each<[User, string, boolean, string]>([
    [user('ann'), 'a', true, 'RBAC: allowed by ClusterRoleBinding "x" of ClusterRole "reader" to User "ann"'],
    [user('bob', 'crew'), 'a', true, 'RBAC: allowed by RoleBinding "y/a" of ClusterRole "reader" to Group "crew"'],
    [
      user('system:serviceaccount:a:robot', 'crew'),
      'a',
      true,
      'RBAC: allowed by RoleBinding "y/a" of ClusterRole "reader" to ServiceAccount "robot/a"',
    ],
    [user('bob', 'crew'), 'b', false, ''],
    [
      user('lost'),
      'a',
      false,
      'RBAC: [clusterrole.rbac.authorization.k8s.io "lost" not found, clusterrole.rbac.authorization.k8s.io "gone" not found]',
    ],
  ])('for %j in %s', (who, namespace, allowed, reason) => {
    expect(rbac.explain(who, asked('get', 'pods', namespace))).toEqual({ allowed, reason });
  });
});

it('forgets its answers when something has changed', () => {
  const clusterRoles = [{ metadata: { name: 'r' }, rules: rules('get', 'pods') }];
  const rbac = rbacOf({
    clusterRoles,
    clusterRoleBindings: [{ roleRef: ref('ClusterRole', 'r'), subjects: [{ kind: 'User', name: 'jane' }] }],
  });
  const jane = user('jane');
  expect(rbac.decide(jane, asked('get', 'pods')).allowed).toBe(true);
  clusterRoles[0]!.rules = rules('list', 'pods');
  expect(rbac.decide(jane, asked('get', 'pods')).allowed).toBe(true);
  rbac.changed();
  expect(rbac.decide(jane, asked('get', 'pods')).allowed).toBe(false);
});
