import type { ILocalSubjectAccessReview } from 'kubernetes-models/authorization.k8s.io/v1/LocalSubjectAccessReview';
import { defineKind } from '../define.ts';
import type { Stored } from '../stored.ts';
import { checkAccess, checkNoMetadata, checkSubject } from './resource-access.ts';

export type LocalSubjectAccessReview = Stored<ILocalSubjectAccessReview>;

/** https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/local-subject-access-review-v1/ */
export const localSubjectAccessReview = defineKind<LocalSubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'LocalSubjectAccessReview',
  plural: 'localsubjectaccessreviews',
  namespaced: true,
  isStored: false,
  setDefaults(review) {
    review.spec ??= {};
  },
  check(errors, at, review) {
    const place = at.child('spec');
    checkAccess(errors, place, review.spec);
    checkSubject(errors, place, review.spec);
    checkNoMetadata(errors, at, review, ['namespace'], 'must be empty except for namespace');
    const { resourceAttributes, nonResourceAttributes } = review.spec;
    if (resourceAttributes && (resourceAttributes.namespace ?? '') !== (review.metadata.namespace ?? '')) {
      const of = place.child('resourceAttributes', 'namespace');
      errors.push(of.invalid(resourceAttributes.namespace ?? '', 'must match metadata.namespace'));
    }
    if (nonResourceAttributes) {
      const of = place.child('nonResourceAttributes');
      errors.push(of.invalid(nonResourceAttributes, 'disallowed on this kind of request'));
    }
  },
});
