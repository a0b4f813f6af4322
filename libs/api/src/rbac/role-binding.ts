import { pathSegment } from '@periplus/apimachinery';
import type { IRoleBinding } from 'kubernetes-models/rbac.authorization.k8s.io/v1/RoleBinding';
import { defineKind } from '../define.ts';
import type { Stored } from '../stored.ts';
import { bindingColumns, checkBinding, checkBindingUpdate, RBAC_GROUP, setBindingDefaults } from './binding.ts';

export type RoleBinding = Stored<IRoleBinding>;

/** https://kubernetes.io/docs/reference/access-authn-authz/rbac/ */
export const roleBinding = defineKind<RoleBinding>({
  group: RBAC_GROUP,
  version: 'v1',
  kind: 'RoleBinding',
  plural: 'rolebindings',
  namespaced: true,
  createdByUpdate: true,
  nameRule: pathSegment,
  columns: bindingColumns(
    'roleBinding',
    'RoleRef can reference a Role in the current namespace or a ClusterRole in the global namespace. If the RoleRef cannot be resolved, the Authorizer must return an error.',
  ),
  setDefaults: setBindingDefaults,
  check: (errors, at, binding) => checkBinding(errors, at, binding, ['Role', 'ClusterRole']),
  checkUpdate: checkBindingUpdate,
});
