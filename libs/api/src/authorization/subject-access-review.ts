import type { ISubjectAccessReview } from 'kubernetes-models/authorization.k8s.io/v1/SubjectAccessReview';
import { defineKind } from '../define.ts';
import type { Stored } from '../stored.ts';
import { checkAccess, checkNoMetadata, checkSubject } from './resource-access.ts';

export type SubjectAccessReview = Stored<ISubjectAccessReview>;

/** https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/subject-access-review-v1/ */
export const subjectAccessReview = defineKind<SubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  namespaced: false,
  isStored: false,
  setDefaults(review) {
    review.spec ??= {};
  },
  check(errors, at, review) {
    checkAccess(errors, at.child('spec'), review.spec);
    checkSubject(errors, at.child('spec'), review.spec);
    checkNoMetadata(errors, at, review, [], 'must be empty');
  },
});
