/** What RoleBinding and ClusterRoleBinding share. */
import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';
import type { IRoleRef } from 'kubernetes-models/rbac.authorization.k8s.io/v1/RoleRef';
import type { ISubject } from 'kubernetes-models/rbac.authorization.k8s.io/v1/Subject';
import { ageColumn, nameColumn } from '../columns.ts';
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

export const bindingColumns: readonly Column<Binding>[] = [
  nameColumn,
  {
    name: 'Role',
    type: 'string',
    description: 'The role that is granted',
    of: ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`,
  },
  ageColumn,
  {
    name: 'Users',
    type: 'string',
    priority: 1,
    description: 'Users that have it',
    of: (binding) => subjectsOf(binding, 'User'),
  },
  {
    name: 'Groups',
    type: 'string',
    priority: 1,
    description: 'Groups that have it',
    of: (binding) => subjectsOf(binding, 'Group'),
  },
  {
    name: 'ServiceAccounts',
    type: 'string',
    priority: 1,
    description: 'Service accounts that have it',
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
