import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { Attributes, Decision, User } from '../types.ts';
import { type AllowedNames, allowedNames, allowsName, allowsPath, type PolicyRule } from './policy-rules.ts';

/** Where the four kinds are read from. All of them: compiled at once, thrown away when one changes. */
export interface RbacObjects {
  clusterRoles(): Iterable<DeepReadonly<ClusterRole>>;
  roles(): Iterable<DeepReadonly<Role>>;
  clusterRoleBindings(): Iterable<DeepReadonly<ClusterRoleBinding>>;
  roleBindings(): Iterable<DeepReadonly<RoleBinding>>;
}

type Rules = readonly DeepReadonly<PolicyRule>[];
type Binding = DeepReadonly<ClusterRoleBinding | RoleBinding>;

/** What one binding gives to each of its subjects. */
interface Grant {
  /** '' for the whole cluster. */
  readonly namespace: string;
  readonly binding: Binding;
  readonly rules: Rules;
  /** Set when the role does not exist; named in refusals. */
  readonly problem: string;
}

/** Answers remembered per user and generation of the rules; then forgotten as a whole. */
const ANSWERS_MAX = 10_000;
const ALLOWED: Decision = { allowed: true, reason: '' };

const allows = (rules: Rules, asked: Attributes): boolean =>
  asked.isResource ? allowsName(allowedNames(rules, asked), asked.name) : allowsPath(rules, asked.verb, asked.path);

const userKey = (name: string): string => `user ${name}`;
const groupKey = (name: string): string => `group ${name}`;
const serviceAccountUser = (namespace: string, name: string): string => `system:serviceaccount:${namespace}:${name}`;

/** All that one user may do, with his answers so far. */
class UserRules {
  readonly grants: readonly Grant[];
  private readonly answers = new Map<string, AllowedNames>();

  constructor(grants: readonly Grant[]) {
    this.grants = grants;
  }

  /** Rules that hold in `namespace`; cluster-wide ones for ''. */
  in(namespace: string): Rules {
    return this.grants.flatMap((grant) => (grant.namespace === '' || grant.namespace === namespace ? grant.rules : []));
  }

  names(asked: Attributes): AllowedNames {
    const key = `${asked.verb} ${asked.group}/${asked.resource}/${asked.subresource} ${asked.namespace}`;
    let names = this.answers.get(key);
    if (names === undefined) {
      names = allowedNames(this.in(asked.namespace), asked);
      if (this.answers.size >= ANSWERS_MAX) this.answers.clear();
      this.answers.set(key, names);
    }
    return names;
  }

  /** Roles that do not exist, as Go prints a list of errors; '' when there are none. */
  problems(namespace: string): string {
    const found = this.grants.flatMap((grant) =>
      grant.problem && (grant.namespace === '' || grant.namespace === namespace) ? [grant.problem] : [],
    );
    return found.length > 1 ? `[${found.join(', ')}]` : (found[0] ?? '');
  }

  /** The first that allows it. */
  grantOf(asked: Attributes): Grant | undefined {
    const namespace = asked.isResource ? asked.namespace : '';
    return this.grants.find(
      (grant) => (grant.namespace === '' || grant.namespace === namespace) && allows(grant.rules, asked),
    );
  }
}

/** One generation of the cluster's roles and bindings, by subject. */
class Policy {
  private readonly users = new WeakMap<User, UserRules>();
  private readonly bySubject = new Map<string, Grant[]>();
  private readonly roles = new Map<string, Rules>();

  constructor(objects: RbacObjects) {
    for (const role of objects.clusterRoles()) this.roles.set(`/${role.metadata.name}`, (role.rules ?? []) as Rules);
    for (const role of objects.roles()) {
      this.roles.set(`${role.metadata.namespace}/${role.metadata.name}`, (role.rules ?? []) as Rules);
    }
    for (const binding of objects.clusterRoleBindings()) this.bind(binding, '');
    for (const binding of objects.roleBindings()) this.bind(binding, binding.metadata.namespace!);
  }

  rules(user: User): UserRules {
    let found = this.users.get(user);
    if (!found) {
      const keys = [userKey(user.name), ...user.groups.map(groupKey)];
      found = new UserRules([...new Set(keys.flatMap((key) => this.bySubject.get(key) ?? []))]);
      this.users.set(user, found);
    }
    return found;
  }

  /** The rules of what a binding in `namespace` ('' for ClusterRoleBindings) points to; undefined when it is not there. */
  roleRules(kind: string, namespace: string, name: string): Rules | undefined {
    return this.roles.get(kind === 'Role' ? `${namespace}/${name}` : `/${name}`);
  }

  private bind(binding: Binding, namespace: string): void {
    const { kind, name } = binding.roleRef;
    const rules = this.roleRules(kind, namespace, name);
    const grant: Grant = {
      namespace,
      binding,
      rules: rules ?? [],
      problem: rules ? '' : `${kind.toLowerCase()}.rbac.authorization.k8s.io ${JSON.stringify(name)} not found`,
    };
    for (const subject of binding.subjects ?? []) {
      const key = subjectKey(subject, namespace);
      if (key === undefined) continue;
      const grants = this.bySubject.get(key);
      if (grants) grants.push(grant);
      else this.bySubject.set(key, [grant]);
    }
  }
}

function subjectKey(
  subject: { readonly kind: string; readonly name: string; readonly namespace?: string },
  bindingNamespace: string,
): string | undefined {
  if (subject.kind === 'User') return userKey(subject.name);
  if (subject.kind === 'Group') return groupKey(subject.name);
  const namespace = subject.namespace || bindingNamespace;
  if (subject.kind !== 'ServiceAccount' || !namespace) return undefined;
  return userKey(serviceAccountUser(namespace, subject.name));
}

const quoted = (text: string): string => JSON.stringify(text);

/** `ClusterRoleBinding "x" of ClusterRole "view" to Group "crew"`. */
function describeGrant({ namespace, binding }: Grant, user: User): string {
  const { roleRef, metadata, subjects = [] } = binding;
  const keys = new Set([userKey(user.name), ...user.groups.map(groupKey)]);
  const subject = subjects.find((one) => keys.has(subjectKey(one, namespace) ?? ''))!;
  const name = subject.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace || namespace}` : subject.name;
  const source = namespace
    ? `RoleBinding ${quoted(`${metadata.name}/${namespace}`)}`
    : `ClusterRoleBinding ${quoted(metadata.name!)}`;
  return `${source} of ${roleRef.kind} ${quoted(roleRef.name)} to ${subject.kind} ${quoted(name)}`;
}

const refused = (problems: string): Decision => ({ allowed: false, reason: problems && `RBAC: ${problems}` });

/**
 * Role-based access control over compiled rules: one map lookup per decision once a user has asked the same before.
 * `changed` must be called when one of the four kinds has changed.
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/
 */
export class Rbac {
  private readonly objects: RbacObjects;
  private policy: Policy | undefined;

  constructor(objects: RbacObjects) {
    this.objects = objects;
  }

  changed(): void {
    this.policy = undefined;
  }

  decide(user: User, asked: Attributes): Decision {
    const rules = this.current().rules(user);
    const allowed = asked.isResource
      ? allowsName(rules.names(asked), asked.name)
      : allowsPath(rules.in(''), asked.verb, asked.path);
    return allowed ? ALLOWED : refused(rules.problems(asked.namespace));
  }

  /** As `decide`, and says what allows it. Remembers nothing: for people who ask, not for every request. */
  explain(user: User, asked: Attributes): Decision {
    const rules = this.current().rules(user);
    const grant = rules.grantOf(asked);
    if (!grant) return refused(rules.problems(asked.namespace));
    return { allowed: true, reason: `RBAC: allowed by ${describeGrant(grant, user)}` };
  }

  /** Why `rulesFor` may lack something; '' when it lacks nothing. */
  problemsFor(user: User, namespace: string): string {
    return this.current().rules(user).problems(namespace);
  }

  /** Everything that the user may do in a namespace; cluster-wide for ''. */
  rulesFor(user: User, namespace: string): Rules {
    return this.current().rules(user).in(namespace);
  }

  roleRules(kind: string, namespace: string, name: string): Rules | undefined {
    return this.current().roleRules(kind, namespace, name);
  }

  private current(): Policy {
    this.policy ??= new Policy(this.objects);
    return this.policy;
  }
}
