import { pathSegment } from '@periplus/apimachinery';
import type { IClusterRoleBinding } from 'kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRoleBinding';
import { defineKind } from '../define.ts';
import type { Stored } from '../stored.ts';
import { bindingColumns, checkBinding, checkBindingUpdate, RBAC_GROUP, setBindingDefaults } from './binding.ts';

export type ClusterRoleBinding = Stored<IClusterRoleBinding>;

/** https://kubernetes.io/docs/reference/access-authn-authz/rbac/ */
export const clusterRoleBinding = defineKind<ClusterRoleBinding>({
  group: RBAC_GROUP,
  version: 'v1',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  namespaced: false,
  createdByUpdate: true,
  nameRule: pathSegment,
  columns: bindingColumns(
    'clusterRoleBinding',
    'RoleRef can only reference a ClusterRole in the global namespace. If the RoleRef cannot be resolved, the Authorizer must return an error.',
  ),
  setDefaults: setBindingDefaults,
  check: (errors, at, binding) => checkBinding(errors, at, binding, ['ClusterRole']),
  checkUpdate: checkBindingUpdate,
});
