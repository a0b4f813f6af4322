/** What Role and ClusterRole share. */
import type { DeepReadonly, FieldPath } from '@periplus/apimachinery';
import type { IPolicyRule } from 'kubernetes-models/rbac.authorization.k8s.io/v1/PolicyRule';
import type { Errors } from '../field-rules.ts';

function checkRule(errors: Errors, at: FieldPath, rule: DeepReadonly<IPolicyRule>, namespaced: boolean): void {
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  if (verbs.length === 0) errors.push(at.child('verbs').required('verbs must contain at least one value'));
  if (nonResourceURLs.length > 0) {
    const place = at.child('nonResourceURLs');
    if (namespaced) errors.push(place.invalid(nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'));
    if (apiGroups.length + resources.length + resourceNames.length > 0) {
      const detail = 'rules cannot apply to both regular resources and non-resource URLs';
      errors.push(place.invalid(nonResourceURLs, detail));
    }
    return;
  }
  if (apiGroups.length === 0) {
    errors.push(at.child('apiGroups').required('resource rules must supply at least one api group'));
  }
  if (resources.length === 0) {
    errors.push(at.child('resources').required('resource rules must supply at least one resource'));
  }
}

export function checkRules(
  errors: Errors,
  at: FieldPath,
  rules: readonly DeepReadonly<IPolicyRule>[] | undefined,
  namespaced: boolean,
): void {
  rules?.forEach((rule, i) => {
    checkRule(errors, at.index('rules', i), rule, namespaced);
  });
}
