import { describe, expect, it } from 'vitest';
import { created, createProblems, updateProblems } from '../testing/objects.ts';
import { type ClusterRole, clusterRole } from './cluster-role.ts';
import { type ClusterRoleBinding, clusterRoleBinding } from './cluster-role-binding.ts';
import { type Role, role } from './role.ts';
import { type RoleBinding, roleBinding } from './role-binding.ts';

const apiVersion = 'rbac.authorization.k8s.io/v1';
const apiGroup = 'rbac.authorization.k8s.io';

const aRole = (rules: Role['rules']): Role => ({
  apiVersion,
  kind: 'Role',
  metadata: { name: 'system:reader', namespace: 'shop' },
  rules,
});
const aClusterRole = (more: Partial<ClusterRole>): ClusterRole => ({
  apiVersion,
  kind: 'ClusterRole',
  metadata: { name: 'system:reader' },
  rules: [],
  ...more,
});
const aBinding = (more: Partial<RoleBinding> = {}): RoleBinding => ({
  apiVersion,
  kind: 'RoleBinding',
  metadata: { name: 'readers', namespace: 'shop' },
  roleRef: { kind: 'Role', name: 'reader' } as never,
  subjects: [{ kind: 'User', name: 'ann' }],
  ...more,
});
const aClusterBinding = (more: Partial<ClusterRoleBinding> = {}): ClusterRoleBinding => ({
  ...aBinding(),
  kind: 'ClusterRoleBinding',
  metadata: { name: 'readers' },
  roleRef: { kind: 'ClusterRole', name: 'reader', apiGroup },
  ...more,
});

describe('a role', () => {
  it.each<[string, Role['rules'], string[]]>([
    ['with a rule', [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }], []],
    [
      'with an empty rule',
      [{ verbs: [] }],
      [
        'rules[0].verbs: Required value: verbs must contain at least one value',
        'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
        'rules[0].resources: Required value: resource rules must supply at least one resource',
      ],
    ],
    [
      'with a rule about paths',
      [{ nonResourceURLs: ['/healthz'], verbs: ['get'] }],
      ['rules[0].nonResourceURLs: Invalid value: ["/healthz"]: namespaced rules cannot apply to non-resource URLs'],
    ],
  ])('%s', (_what, rules, expected) => {
    expect(createProblems(role, aRole(rules))).toEqual(expected);
  });

  it('of the cluster may be about paths, but not about both', () => {
    const rules = [{ nonResourceURLs: ['/healthz'], verbs: ['get'] }];
    expect(createProblems(clusterRole, aClusterRole({ rules }))).toEqual([]);
    expect(createProblems(clusterRole, aClusterRole({ rules: [{ ...rules[0]!, resources: ['pods'] }] }))).toEqual([
      'rules[0].nonResourceURLs: Invalid value: ["/healthz"]: rules cannot apply to both regular resources and non-resource URLs',
    ]);
  });

  it('of the cluster may gather others', () => {
    expect(createProblems(clusterRole, aClusterRole({ aggregationRule: {} }))).toEqual([
      'aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil',
    ]);
  });

  it('may have any name that is one segment of a path', () => {
    const object = aRole([]);
    object.metadata.name = 'a/b';
    expect(createProblems(role, object)).toEqual([`metadata.name: Invalid value: "a/b": may not contain '/'`]);
  });
});

describe('a role binding', () => {
  it('gets the groups that its references leave out', () => {
    const { roleRef, subjects } = created(roleBinding, aBinding());
    expect([roleRef.apiGroup, subjects?.[0]?.apiGroup]).toEqual([apiGroup, apiGroup]);
  });

  it.each<[string, Partial<RoleBinding>, string[]]>([
    ['as people write it', {}, []],
    ['of a role of the cluster', { roleRef: { kind: 'ClusterRole', name: 'view', apiGroup } }, []],
    [
      'of something else',
      { roleRef: { kind: 'Pod', name: '', apiGroup: 'apps' } },
      [
        'roleRef.apiGroup: Unsupported value: "apps": supported values: "rbac.authorization.k8s.io"',
        'roleRef.kind: Unsupported value: "Pod": supported values: "Role", "ClusterRole"',
        'roleRef.name: Required value',
      ],
    ],
    [
      'to odd subjects',
      {
        subjects: [
          { kind: 'ServiceAccount', name: 'Robot', apiGroup: 'x' },
          { kind: 'Cat', name: '' },
          { kind: 'Group', name: 'g', apiGroup: 'x' },
        ],
      },
      [
        expect.stringMatching(/^subjects\[0\].name: Invalid value: "Robot": a lowercase RFC 1123 subdomain/) as never,
        'subjects[0].apiGroup: Unsupported value: "x": supported values: ""',
        'subjects[1].name: Required value',
        'subjects[1].kind: Unsupported value: "Cat": supported values: "ServiceAccount", "User", "Group"',
        'subjects[2].apiGroup: Unsupported value: "x": supported values: "rbac.authorization.k8s.io"',
      ],
    ],
  ])('%s', (_what, more, expected) => {
    expect(createProblems(roleBinding, aBinding(more))).toEqual(expected);
  });

  it('of the cluster takes only roles of the cluster, and names namespaces', () => {
    const more = {
      roleRef: { kind: 'Role', name: 'r', apiGroup },
      subjects: [{ kind: 'ServiceAccount', name: 'robot' }],
    };
    expect(createProblems(clusterRoleBinding, aClusterBinding(more))).toEqual([
      'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
      'subjects[0].namespace: Required value',
    ]);
  });

  it('keeps its role for ever', () => {
    expect(updateProblems(roleBinding, aBinding(), (copy) => (copy.roleRef.name = 'admin'))).toEqual([
      'roleRef: Invalid value: {"kind":"Role","name":"admin","apiGroup":"rbac.authorization.k8s.io"}: cannot change roleRef',
    ]);
    expect(updateProblems(roleBinding, aBinding(), (copy) => (copy.subjects = []))).toEqual([]);
  });
});
