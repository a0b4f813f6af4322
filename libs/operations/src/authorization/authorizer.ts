import {
  clusterRole,
  clusterRoleBinding,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolume,
  persistentVolumeClaim,
  type ResourceSlice,
  resourceSlice,
  role,
  roleBinding,
  type VolumeAttachment,
  volumeAttachment,
} from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { type CacheReader, ClusterState } from '../cluster-state.ts';
import type { Attributes, Authorizer, Decision, User } from '../types.ts';
import { NodeAuthorizer, nodeNameOf } from './node-authorizer.ts';
import type { PolicyRule } from './policy-rules.ts';
import { Rbac } from './rbac.ts';

/** May do everything, whatever the roles say: the way back in when they are broken. */
export const SUPERUSERS = 'system:masters';
const RBAC_GROUP = 'rbac.authorization.k8s.io';
const NODE_RULES_HIDDEN = 'node authorizer does not support user rule resolution';
const ALLOWED: Decision = { allowed: true, reason: '' };

/** All that roles give a user, as far as it can be listed. */
interface UserRules {
  readonly rules: readonly DeepReadonly<PolicyRule>[];
  /** Whether he may do more than that. */
  readonly incomplete: boolean;
  /** Why; or which roles could not be found. */
  readonly problem: string;
}

/** What reviews and the check against privilege escalation ask beyond decisions. */
export interface ClusterAuthorizer extends Authorizer {
  /** As `decide`, but slower, and with the reason of what is allowed too. */
  explain(user: User, attributes: Attributes): Decision;
  /** In a namespace; those of the whole cluster for ''. */
  listRules(user: User, namespace: string): UserRules;
  /** The rules of a Role in `namespace` or a ClusterRole; undefined when there is none. */
  roleRules(kind: string, namespace: string, name: string): readonly DeepReadonly<PolicyRule>[] | undefined;
  close(): void;
}

/** Asks in order: system:masters, the Node authorizer, RBAC. The first that allows wins; refusals add up. */
export function createAuthorizer({ cache }: { cache: CacheReader }): ClusterAuthorizer {
  const cluster = new ClusterState(cache);
  const node = new NodeAuthorizer({
    podsOn: (name) => cluster.podsOn(name),
    claim: (namespace, name) => cluster.object<PersistentVolumeClaim>(persistentVolumeClaim, namespace, name),
    volume: (name) => cluster.object<PersistentVolume>(persistentVolume, '', name),
    attachment: (name) => cluster.object<VolumeAttachment>(volumeAttachment, '', name),
    slice: (name) => cluster.object<ResourceSlice>(resourceSlice, '', name),
  });
  const rbac = new Rbac({
    clusterRoles: () => cluster.objects(clusterRole),
    roles: () => cluster.objects(role),
    clusterRoleBindings: () => cluster.objects(clusterRoleBinding),
    roleBindings: () => cluster.objects(roleBinding),
  });
  const unsubscribe = cache.subscribe((_, changes) => {
    if (changes.some(({ entry }) => entry.key.group === RBAC_GROUP)) rbac.changed();
  });
  const decideBy = (byRoles: (user: User, asked: Attributes) => Decision) => (user: User, asked: Attributes) => {
    if (user.groups.includes(SUPERUSERS)) return ALLOWED;
    const name = nodeNameOf(user);
    if (name === undefined) return byRoles(user, asked);
    const byNode = node.decide(name, asked);
    if (byNode.allowed) return byNode;
    const byRole = byRoles(user, asked);
    if (byRole.allowed) return byRole;
    return { allowed: false, reason: [byNode.reason, byRole.reason].filter((reason) => reason !== '').join('\n') };
  };
  return {
    decide: decideBy((user, asked) => rbac.decide(user, asked)),
    explain: decideBy((user, asked) => rbac.explain(user, asked)),
    listRules(user, namespace) {
      const isNode = nodeNameOf(user) !== undefined;
      const problems = [isNode ? NODE_RULES_HIDDEN : '', rbac.problemsFor(user, namespace)].filter((one) => one !== '');
      const problem = problems.length > 1 ? `[${problems.join(', ')}]` : (problems[0] ?? '');
      return { rules: rbac.rulesFor(user, namespace), incomplete: isNode, problem };
    },
    roleRules: (kind, namespace, name) => rbac.roleRules(kind, namespace, name),
    close: unsubscribe,
  };
}
