/** What RoleBinding and ClusterRoleBinding share. */
import {
  type DeepReadonly,
  dns1123Subdomain,
  type FieldPath,
  type KubeObject,
  pathSegment,
} from '@periplus/apimachinery';
import type { IRoleRef } from 'kubernetes-models/rbac.authorization.k8s.io/v1/RoleRef';
import type { ISubject } from 'kubernetes-models/rbac.authorization.k8s.io/v1/Subject';
import { ageColumn, nameColumn } from '../columns.ts';
import { sameValue } from '../equality.ts';
import { checkRequiredText, type Errors } from '../field-rules.ts';
import type { Column } from '../kind.ts';

export const RBAC_GROUP = 'rbac.authorization.k8s.io';

export interface Binding extends KubeObject {
  roleRef: IRoleRef;
  subjects?: ISubject[];
}

const subjectsOf = (binding: DeepReadonly<Binding>, kind: string): string =>
  (binding.subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(({ name, namespace }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
    .join(', ');

/** `kind` as in `roleBinding`; `role`: what is said of the reference to the role. */
export const bindingColumns = (kind: string, role: string): readonly Column<Binding>[] => [
  nameColumn,
  {
    name: 'Role',
    type: 'string',
    description: role,
    of: ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`,
  },
  ageColumn,
  {
    name: 'Users',
    type: 'string',
    priority: 1,
    description: `Users in the ${kind}`,
    of: (binding) => subjectsOf(binding, 'User'),
  },
  {
    name: 'Groups',
    type: 'string',
    priority: 1,
    description: `Groups in the ${kind}`,
    of: (binding) => subjectsOf(binding, 'Group'),
  },
  {
    name: 'ServiceAccounts',
    type: 'string',
    priority: 1,
    description: `ServiceAccounts in the ${kind}`,
    of: (binding) => subjectsOf(binding, 'ServiceAccount'),
  },
];

export function setBindingDefaults(binding: Binding): void {
  binding.roleRef ??= { apiGroup: RBAC_GROUP, kind: '', name: '' };
  binding.roleRef.apiGroup ||= RBAC_GROUP;
  for (const subject of binding.subjects ?? []) {
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= RBAC_GROUP;
  }
}

function checkSubject(errors: Errors, at: FieldPath, subject: DeepReadonly<ISubject>, namespaced: boolean): void {
  const { kind, name, apiGroup = '', namespace } = subject;
  if (!name) errors.push(at.child('name').required());
  if (kind === 'ServiceAccount') {
    for (const problem of name ? dns1123Subdomain(name) : []) errors.push(at.child('name').invalid(name, problem));
    if (apiGroup) errors.push(at.child('apiGroup').notSupported(apiGroup, ['']));
    if (!namespaced && !namespace) errors.push(at.child('namespace').required());
  } else if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== RBAC_GROUP) errors.push(at.child('apiGroup').notSupported(apiGroup, [RBAC_GROUP]));
  } else errors.push(at.child('kind').notSupported(kind ?? '', ['ServiceAccount', 'User', 'Group']));
}

/** `roleKinds` are those that may be granted: a role of one namespace cannot be granted in all. */
export function checkBinding(
  errors: Errors,
  at: FieldPath,
  { roleRef, subjects }: DeepReadonly<Binding>,
  roleKinds: readonly string[],
): void {
  const place = at.child('roleRef');
  if (roleRef.apiGroup !== RBAC_GROUP) {
    errors.push(place.child('apiGroup').notSupported(roleRef.apiGroup, [RBAC_GROUP]));
  }
  if (!roleKinds.includes(roleRef.kind)) errors.push(place.child('kind').notSupported(roleRef.kind, roleKinds));
  checkRequiredText(errors, place, 'name', roleRef.name, pathSegment);
  const namespaced = roleKinds.includes('Role');
  subjects?.forEach((subject, i) => {
    checkSubject(errors, at.index('subjects', i), subject, namespaced);
  });
}

/** What a binding grants cannot change, so that whoever may edit its subjects need not hold the role. */
export function checkBindingUpdate(
  errors: Errors,
  at: FieldPath,
  now: DeepReadonly<Binding>,
  old: DeepReadonly<Binding>,
): void {
  if (!sameValue(now.roleRef, old.roleRef)) {
    errors.push(at.child('roleRef').invalid(now.roleRef, 'cannot change roleRef'));
  }
}
