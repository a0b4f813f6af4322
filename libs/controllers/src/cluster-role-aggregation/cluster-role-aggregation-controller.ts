import { type ClusterRole, clusterRole, sameValue } from '@periplus/api';
import { compileLabelSelector, type DeepReadonly } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import { defineController, idle, type ObjectRef, watchRule } from '@periplus/reconcile';

type Role = DeepReadonly<ClusterRole>;
type Rules = NonNullable<Role['rules']>;

const byName = (one: Role, other: Role): number => (one.metadata.name! < other.metadata.name! ? -1 : 1);

/** The rules of all roles that the role selects, each once, in the order of the roles' names. */
function aggregated(role: Role, all: readonly Role[]): Rules {
  const rules: Rules[number][] = [];
  for (const each of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const selector = compileLabelSelector(each as Parameters<typeof compileLabelSelector>[0]);
    for (const other of all.filter(({ metadata }) => selector.matches(metadata.labels)).sort(byName)) {
      if (other.metadata.name === role.metadata.name) continue;
      for (const rule of other.rules ?? []) {
        if (!rules.some((present) => sameValue(present, rule))) rules.push(rule);
      }
    }
  }
  return rules;
}

/** Any change of any role may concern every role that gathers others. */
const gathering = (_now: unknown, _old: unknown, view: View): ObjectRef[] =>
  view
    .list(clusterRole)
    .flatMap(({ aggregationRule, metadata }) => (aggregationRule ? [{ namespace: '', name: metadata.name! }] : []));

/**
 * Writes into a ClusterRole with an aggregation rule the rules of those that it selects, which may gather others in
 * their turn. https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
 */
export const clusterRoleAggregationController = defineController<ClusterRole>({
  name: 'clusterrole-aggregation',
  for: clusterRole,
  watches: [watchRule(clusterRole, gathering)],
  reconcile({ name }, view) {
    const role = view.get(clusterRole, '', name);
    if (!role?.aggregationRule || role.metadata.deletionTimestamp) return idle;
    const rules = aggregated(role, view.list(clusterRole));
    if (sameValue(rules, role.rules ?? [])) return idle;
    const target = { kind: clusterRole, namespace: '', name };
    return { steps: [[{ ...target, verb: 'patch', type: 'merge', patch: { rules } }]] };
  },
});
