import type { IClusterRole } from 'kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRole';
import { defineKind } from '../define.ts';
import type { Stored } from '../stored.ts';
import { RBAC_GROUP } from './binding.ts';
import { roleColumns } from './rules.ts';

export type ClusterRole = Stored<IClusterRole>;

/** https://kubernetes.io/docs/reference/access-authn-authz/rbac/ */
export const clusterRole = defineKind<ClusterRole>({
  group: RBAC_GROUP,
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  namespaced: false,
  columns: roleColumns,
});
