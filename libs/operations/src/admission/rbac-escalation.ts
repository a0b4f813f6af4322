import { clusterRole, clusterRoleBinding, type Role, type RoleBinding, role, roleBinding } from '@periplus/api';
import { type DeepReadonly, deepEqual, notFound } from '@periplus/apimachinery';
import { type ClusterAuthorizer, SUPERUSERS } from '../authorization/authorizer.ts';
import { type PolicyRule, shownRule, uncoveredRules } from '../authorization/policy-rules.ts';
import type { Attributes, User } from '../types.ts';
import { type Admission, type AdmissionRequest, refused } from './admission.ts';

const GROUP = 'rbac.authorization.k8s.io';
const EVERYTHING: PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

interface RoleObject extends Pick<Role, 'rules'> {
  aggregationRule?: unknown;
}

/** Rules that differ in their verbs only, as one. */
function compact(rules: readonly PolicyRule[]): PolicyRule[] {
  const merged = new Map<string, PolicyRule>();
  for (const { verbs, ...what } of rules) {
    const id = JSON.stringify(what);
    const one = merged.get(id);
    if (one) one.verbs.push(...verbs);
    else merged.set(id, { ...what, verbs: [...verbs] });
  }
  return [...merged.values()];
}

/** `problem` says which of the user's own roles could not be found. */
function attempt(user: User, missing: readonly PolicyRule[], problem: string): string {
  const groups = `[${user.groups.map((group) => JSON.stringify(group)).join(' ')}]`;
  const rules = compact(missing).map(shownRule).sort().join('\n');
  return `user ${JSON.stringify(user.name)} (groups=${groups}) is attempting to grant RBAC permissions not currently held:\n${rules}${problem && `; resolution errors: [${problem}]`}`;
}

/**
 * Nobody grants what he does not have, unless he may `escalate` (roles) or `bind` (bindings).
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
 */
export function rbacEscalation(authorizer: ClusterAuthorizer): Admission {
  const may = ({ context, target }: AdmissionRequest, asked: Pick<Attributes, 'verb' | 'resource' | 'name'>): boolean =>
    authorizer.decide(context.user, {
      isResource: true,
      group: GROUP,
      version: 'v1',
      subresource: '',
      namespace: target.namespace,
      path: '',
      ...asked,
    }).allowed;

  /** Whether the user may do all that there is anyway; RBAC does not know of system:masters. */
  const isSuperuser = ({ user }: AdmissionRequest['context']): boolean => user.groups.includes(SUPERUSERS);

  const confirm = (request: AdmissionRequest, rules: readonly DeepReadonly<PolicyRule>[]): void => {
    const { user } = request.context;
    const owned = authorizer.listRules(user, request.target.namespace);
    const missing = uncoveredRules(owned.rules, rules);
    if (missing.length > 0) throw refused(request, attempt(user, missing, owned.problem));
  };

  const admitRole = (request: AdmissionRequest): void => {
    const { target, name } = request;
    const object = request.object as unknown as RoleObject;
    const old = request.old as unknown as DeepReadonly<RoleObject> | null;
    if (old && deepEqual(object.rules, old.rules) && deepEqual(object.aggregationRule, old.aggregationRule)) return;
    if (may(request, { verb: 'escalate', resource: target.kind.plural, name })) return;
    if (object.aggregationRule || old?.aggregationRule) {
      const owned = authorizer.listRules(request.context.user, '').rules;
      if (uncoveredRules(owned, EVERYTHING).length > 0) {
        throw refused(request, 'must have cluster-admin privileges to use the aggregationRule');
      }
    }
    confirm(request, (object.rules ?? []) as PolicyRule[]);
  };

  const admitBinding = (request: AdmissionRequest): void => {
    const object = request.object as unknown as RoleBinding;
    const old = request.old as unknown as DeepReadonly<RoleBinding> | null;
    if (old && deepEqual(object.roleRef, old.roleRef) && deepEqual(object.subjects, old.subjects)) return;
    const { kind, name } = object.roleRef;
    const resource = kind === 'Role' ? 'roles' : 'clusterroles';
    if (may(request, { verb: 'bind', resource, name })) return;
    const rules = authorizer.roleRules(kind, request.target.namespace, name);
    if (!rules) throw notFound({ group: GROUP, resource }, name);
    confirm(request, rules);
  };

  const roles = new Set<unknown>([role, clusterRole]);
  const bindings = new Set<unknown>([roleBinding, clusterRoleBinding]);
  return {
    name: 'RBACEscalation',
    handles: ({ kind }, operation) => operation !== 'delete' && (roles.has(kind) || bindings.has(kind)),
    admit(request) {
      if (isSuperuser(request.context)) return;
      if (roles.has(request.target.kind)) admitRole(request);
      else admitBinding(request);
    },
  };
}
