import type { ISelfSubjectAccessReview } from 'kubernetes-models/authorization.k8s.io/v1/SelfSubjectAccessReview';
import { defineKind } from '../define.ts';
import type { Stored } from '../stored.ts';
import { checkAccess, checkNoMetadata } from './resource-access.ts';

export type SelfSubjectAccessReview = Stored<ISelfSubjectAccessReview>;

/** https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/ */
export const selfSubjectAccessReview = defineKind<SelfSubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  namespaced: false,
  isStored: false,
  setDefaults(review) {
    review.spec ??= {};
  },
  check(errors, at, review) {
    checkAccess(errors, at.child('spec'), review.spec);
    checkNoMetadata(errors, at, review, [], 'must be empty');
  },
});
