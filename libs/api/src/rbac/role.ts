import { pathSegment } from '@periplus/apimachinery';
import type { IRole } from 'kubernetes-models/rbac.authorization.k8s.io/v1/Role';
import { defaultColumns } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Stored } from '../stored.ts';
import { RBAC_GROUP } from './binding.ts';
import { checkRules } from './rules.ts';

export type Role = Stored<IRole>;

/** https://kubernetes.io/docs/reference/access-authn-authz/rbac/ */
export const role = defineKind<Role>({
  group: RBAC_GROUP,
  version: 'v1',
  kind: 'Role',
  plural: 'roles',
  namespaced: true,
  createdByUpdate: true,
  nameRule: pathSegment,
  columns: defaultColumns,
  check: (errors, at, { rules }) => checkRules(errors, at, rules, true),
});
