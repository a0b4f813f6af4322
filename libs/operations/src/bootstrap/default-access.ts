import type { JsonObject } from '@periplus/apimachinery';
import { type PolicyRule, uncoveredRules } from '../authorization/policy-rules.ts';
import type { BootstrapBinding, BootstrapRole } from './cluster-roles.ts';

const GROUP = 'rbac.authorization.k8s.io';
const API_VERSION = `${GROUP}/v1`;
const AUTO_UPDATE = 'rbac.authorization.kubernetes.io/autoupdate';
const LABELS = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
const ANNOTATIONS = { [AUTO_UPDATE]: 'true' };

interface Subject {
  kind: string;
  apiGroup?: string;
  namespace?: string;
  name: string;
}

/** As the parts of a ClusterRole or its binding that the server keeps up to date. */
interface Existing {
  metadata: { annotations?: Readonly<Record<string, string>> };
  rules?: PolicyRule[];
  subjects?: Subject[];
}

export function roleObject({ namespace, name, rules, aggregates, aggregatedTo }: BootstrapRole): object {
  const mark = (role: string): Record<string, string> => ({ [`${GROUP}/aggregate-to-${role}`]: 'true' });
  const labels = { ...LABELS, ...(aggregatedTo && mark(aggregatedTo)) };
  return structuredClone({
    kind: namespace ? 'Role' : 'ClusterRole',
    apiVersion: API_VERSION,
    metadata: { name, labels, annotations: ANNOTATIONS },
    ...(aggregates && { aggregationRule: { clusterRoleSelectors: [{ matchLabels: mark(aggregates) }] } }),
    ...(rules.length > 0 && { rules }),
  });
}

function subjectsOf({ groups = [], users = [], accounts = [] }: BootstrapBinding): Subject[] {
  const subject = (kind: string) => (name: string) => ({ kind, apiGroup: GROUP, name });
  const named = [...groups.map(subject('Group')), ...users.map(subject('User'))];
  return [...named, ...accounts.map((account) => ({ kind: 'ServiceAccount', ...account }))];
}

export function bindingObject(binding: BootstrapBinding): object {
  const { namespace, role, name = role } = binding;
  const kind = namespace ? 'Role' : 'ClusterRole';
  return structuredClone({
    kind: `${kind}Binding`,
    apiVersion: API_VERSION,
    metadata: { name, labels: LABELS, annotations: ANNOTATIONS },
    roleRef: { apiGroup: GROUP, kind, name: role },
    subjects: subjectsOf(binding),
  });
}

/** Whoever wants a default role to stay as it is says so in its annotation. */
const mayUpdate = ({ metadata }: Existing): boolean => metadata.annotations?.[AUTO_UPDATE] === 'true';

/**
 * What a default role of an older release, or one that somebody has narrowed, lacks, as a merge patch; null when it
 * lacks nothing. https://kubernetes.io/docs/reference/access-authn-authz/rbac/#auto-reconciliation
 */
export function missingRules(existing: Existing, { rules }: BootstrapRole): JsonObject | null {
  const owned = existing.rules ?? [];
  const missing = uncoveredRules(owned, rules);
  if (missing.length === 0 || !mayUpdate(existing)) return null;
  return structuredClone({ rules: [...owned, ...missing] }) as unknown as JsonObject;
}

export function missingSubjects(existing: Existing, binding: BootstrapBinding): JsonObject | null {
  const bound = existing.subjects ?? [];
  const missing = subjectsOf(binding).filter(
    (subject) =>
      !bound.some(
        ({ kind, namespace, name }) =>
          kind === subject.kind && namespace === subject.namespace && name === subject.name,
      ),
  );
  if (missing.length === 0 || !mayUpdate(existing)) return null;
  return structuredClone({ subjects: [...bound, ...missing] }) as unknown as JsonObject;
}
