import { pathSegment, validateLabelSelector } from '@periplus/apimachinery';
import type { IClusterRole } from 'kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRole';
import { defaultColumns } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Stored } from '../stored.ts';
import { RBAC_GROUP } from './binding.ts';
import { checkRules } from './rules.ts';

export type ClusterRole = Stored<IClusterRole>;

/** https://kubernetes.io/docs/reference/access-authn-authz/rbac/ */
export const clusterRole = defineKind<ClusterRole>({
  group: RBAC_GROUP,
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  namespaced: false,
  createdByUpdate: true,
  nameRule: pathSegment,
  columns: defaultColumns,
  check(errors, at, { rules, aggregationRule }) {
    checkRules(errors, at, rules, false);
    if (!aggregationRule) return;
    const place = at.child('aggregationRule');
    const { clusterRoleSelectors = [] } = aggregationRule;
    if (clusterRoleSelectors.length === 0) {
      const detail = 'at least one clusterRoleSelector required if aggregationRule is non-nil';
      errors.push(place.child('clusterRoleSelectors').required(detail));
    }
    clusterRoleSelectors.forEach((selector, i) => {
      errors.push(...validateLabelSelector(selector, place.index('clusterRoleSelectors', i)));
    });
  },
});
