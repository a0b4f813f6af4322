/** Compiled rules against the plainest reading of the documentation, on random policies. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attributes, User } from '../types.ts';
import { allowedNames, allowsName, allowsPath, type PolicyRule, uncoveredRules } from './policy-rules.ts';
import { Rbac } from './rbac.ts';

const some = (...values: string[]) => fc.subarray(values, { minLength: 1 });
const word = (...values: string[]) => fc.constantFrom(...values);
const NAMESPACES = ['a', 'b'];

const resourceRule: fc.Arbitrary<PolicyRule> = fc.record(
  {
    verbs: some('get', 'list', '*'),
    apiGroups: some('', 'apps', '*'),
    resources: some('pods', 'pods/log', 'nodes', '*/log', '*'),
    resourceNames: some('x', 'y'),
  },
  { requiredKeys: ['verbs', 'apiGroups', 'resources'] },
);
const pathRule: fc.Arbitrary<PolicyRule> = fc.record({
  verbs: some('get', 'post', '*'),
  nonResourceURLs: some('/healthz', '/healthz/*', '/api*', '*'),
});
const rules = fc.array(fc.oneof(resourceRule, pathRule), { maxLength: 3 });

const request: fc.Arbitrary<Attributes> = fc.oneof(
  fc.record({
    ...{ isResource: fc.constant(true), version: fc.constant('v1'), path: fc.constant('') },
    verb: word('get', 'list', 'delete'),
    group: word('', 'apps', 'batch'),
    resource: word('pods', 'nodes', 'log'),
    subresource: word('', 'log', 'status'),
    namespace: word('', ...NAMESPACES),
    name: word('', 'x', 'y', 'z'),
  }),
  fc.record({
    ...{ isResource: fc.constant(false), version: fc.constant(''), group: fc.constant('') },
    ...{ resource: fc.constant(''), subresource: fc.constant(''), namespace: fc.constant(''), name: fc.constant('') },
    verb: word('get', 'post', 'put'),
    path: word('/', '/healthz', '/healthz/etcd', '/api', '/apis/apps'),
  }),
);

/** https://kubernetes.io/docs/reference/access-authn-authz/rbac/#role-and-clusterrole */
function modelAllows(rule: PolicyRule, asked: Attributes): boolean {
  const one = (list: string[] | undefined, value: string) =>
    (list ?? []).some((each) => each === '*' || each === value);
  if (!one(rule.verbs, asked.verb)) return false;
  if (!asked.isResource) {
    return (rule.nonResourceURLs ?? []).some((url) =>
      url.endsWith('*') ? asked.path.startsWith(url.slice(0, -1)) : asked.path === url,
    );
  }
  const what = asked.subresource ? `${asked.resource}/${asked.subresource}` : asked.resource;
  const resource =
    one(rule.resources, what) || (asked.subresource !== '' && one(rule.resources, `*/${asked.subresource}`));
  const names = rule.resourceNames ?? [];
  return one(rule.apiGroups, asked.group) && resource && (names.length === 0 || names.includes(asked.name));
}

const subject = fc.oneof(
  fc.record({ kind: fc.constant('User'), name: word('ann', 'bob', 'system:serviceaccount:a:robot') }),
  fc.record({ kind: fc.constant('Group'), name: word('crew', 'ann') }),
  fc.record({ kind: fc.constant('ServiceAccount'), name: word('robot'), namespace: word('', ...NAMESPACES) }),
);
const roleRef = fc.record({ kind: word('Role', 'ClusterRole'), name: word('r', 's', 'missing') });
const subjects = fc.array(subject, { maxLength: 2 });
const policy = fc.record({
  clusterRoles: fc.record({ r: rules, s: rules }),
  roles: fc.record({ r: rules, s: rules }),
  clusterBindings: fc.array(fc.record({ roleRef: fc.record({ name: word('r', 's', 'missing') }), subjects })),
  bindings: fc.array(fc.record({ namespace: word(...NAMESPACES), roleRef, subjects })),
});
type Policy = typeof policy extends fc.Arbitrary<infer T> ? T : never;

const user: fc.Arbitrary<User> = fc.record({
  name: word('ann', 'bob', 'system:serviceaccount:a:robot', 'system:serviceaccount:b:robot'),
  uid: fc.constant(''),
  groups: fc.subarray(['crew', 'others']),
  extra: fc.constant({}),
});

/** Roles `r` and `s` stand in namespace a; whoever binds a role elsewhere binds nothing. */
function modelRules({ clusterRoles, roles, clusterBindings, bindings }: Policy, who: User, namespace: string) {
  const isMeant = ({ kind, name, ...more }: { kind: string; name: string }, home: string): boolean => {
    if (kind === 'User') return name === who.name;
    if (kind === 'Group') return who.groups.includes(name);
    const of = (more as { namespace?: string }).namespace || home;
    return of !== '' && who.name === `system:serviceaccount:${of}:${name}`;
  };
  const known = (from: Record<string, PolicyRule[]>, name: string): PolicyRule[] => from[name] ?? [];
  const everywhere = clusterBindings.flatMap((binding) =>
    binding.subjects.some((one) => isMeant(one, '')) ? known(clusterRoles, binding.roleRef.name) : [],
  );
  const here = bindings.flatMap((binding) => {
    if (namespace === '' || binding.namespace !== namespace) return [];
    if (!binding.subjects.some((one) => isMeant(one, namespace))) return [];
    if (binding.roleRef.kind === 'ClusterRole') return known(clusterRoles, binding.roleRef.name);
    return namespace === 'a' ? known(roles, binding.roleRef.name) : [];
  });
  return [...everywhere, ...here];
}

const rbacOf = ({ clusterRoles, roles, clusterBindings, bindings }: Policy): Rbac => {
  const named = (of: Record<string, PolicyRule[]>, namespace?: string) =>
    Object.entries(of).map(([name, own]) => ({ metadata: { name, namespace }, rules: own }));
  return new Rbac({
    clusterRoles: () => named(clusterRoles) as never,
    roles: () => named(roles, 'a') as never,
    clusterRoleBindings: () =>
      clusterBindings.map((one, i) => ({
        ...one,
        metadata: { name: `c${i}` },
        roleRef: { kind: 'ClusterRole', ...one.roleRef },
      })) as never,
    roleBindings: () =>
      bindings.map(({ namespace, ...one }, i) => ({ ...one, metadata: { name: `b${i}`, namespace } })) as never,
  });
};

describe('compiled rules', () => {
  it('allow what each rule by itself allows', () => {
    fc.assert(
      fc.property(rules, request, (all, asked) => {
        const compiled = asked.isResource
          ? allowsName(allowedNames(all, asked), asked.name)
          : allowsPath(all, asked.verb, asked.path);
        expect(compiled).toBe(all.some((rule) => modelAllows(rule, asked)));
      }),
      { numRuns: 2_000 },
    );
  });

  it('decide as the bindings of a user say, and explain it alike', () => {
    fc.assert(
      fc.property(policy, user, fc.array(request, { minLength: 1, maxLength: 6 }), (of, who, requests) => {
        const rbac = rbacOf(of);
        for (const asked of requests) {
          const expected = modelRules(of, who, asked.namespace).some((rule) => modelAllows(rule, asked));
          expect(rbac.decide(who, asked).allowed).toBe(expected);
          expect(rbac.explain(who, asked).allowed).toBe(expected);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('cover only what is allowed anyway', () => {
    fc.assert(
      fc.property(rules, rules, request, (owned, wanted, asked) => {
        fc.pre(uncoveredRules(owned, wanted).length === 0 && wanted.some((rule) => modelAllows(rule, asked)));
        expect(owned.some((rule) => modelAllows(rule, asked))).toBe(true);
      }),
      { numRuns: 300, maxSkipsPerRun: 1_000 },
    );
  });
});
