import { clusterRole, clusterRoleBinding, role, roleBinding } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { type CacheReader, ClusterState } from '../cluster-state.ts';
import type { Attributes, Authorizer, Decision, User } from '../types.ts';
import { NodeAuthorizer, nodeNameOf } from './node-authorizer.ts';
import type { PolicyRule } from './policy-rules.ts';
import { Rbac } from './rbac.ts';

/** May do everything, whatever the roles say: the way back in when they are broken. */
export const SUPERUSERS = 'system:masters';
const RBAC_GROUP = 'rbac.authorization.k8s.io';
const ALLOWED: Decision = { allowed: true, reason: '' };

/** What the check against privilege escalation asks beyond decisions. */
export interface ClusterAuthorizer extends Authorizer {
  /** All rules that roles give the user in a namespace; those of the whole cluster for ''. */
  rulesFor(user: User, namespace: string): readonly DeepReadonly<PolicyRule>[];
  /** The rules of a Role in `namespace` or a ClusterRole; undefined when there is none. */
  roleRules(kind: string, namespace: string, name: string): readonly DeepReadonly<PolicyRule>[] | undefined;
  close(): void;
}

/** Asks in order: system:masters, the Node authorizer, RBAC. The first that allows wins; refusals add up. */
export function createAuthorizer({ cache }: { cache: CacheReader }): ClusterAuthorizer {
  const cluster = new ClusterState(cache);
  const node = new NodeAuthorizer((name) => cluster.podsOn(name));
  const rbac = new Rbac({
    clusterRoles: () => cluster.objects(clusterRole),
    roles: () => cluster.objects(role),
    clusterRoleBindings: () => cluster.objects(clusterRoleBinding),
    roleBindings: () => cluster.objects(roleBinding),
  });
  const unsubscribe = cache.subscribe((_, changes) => {
    if (changes.some(({ entry }) => entry.key.group === RBAC_GROUP)) rbac.changed();
  });
  return {
    decide(user: User, asked: Attributes): Decision {
      if (user.groups.includes(SUPERUSERS)) return ALLOWED;
      const name = nodeNameOf(user);
      if (name === undefined) return rbac.decide(user, asked);
      const byNode = node.decide(name, asked);
      if (byNode.allowed) return byNode;
      const byRole = rbac.decide(user, asked);
      if (byRole.allowed) return byRole;
      return { allowed: false, reason: [byNode.reason, byRole.reason].filter((reason) => reason !== '').join('\n') };
    },
    rulesFor: (user, namespace) => rbac.rulesFor(user, namespace),
    roleRules: (kind, namespace, name) => rbac.roleRules(kind, namespace, name),
    close: unsubscribe,
  };
}
