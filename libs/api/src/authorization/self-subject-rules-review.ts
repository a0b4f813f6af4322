import type { ISelfSubjectRulesReview } from 'kubernetes-models/authorization.k8s.io/v1/SelfSubjectRulesReview';
import { defineKind } from '../define.ts';
import type { Stored } from '../stored.ts';

export type SelfSubjectRulesReview = Stored<ISelfSubjectRulesReview>;

/** https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-rules-review-v1/ */
export const selfSubjectRulesReview = defineKind<SelfSubjectRulesReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectRulesReview',
  plural: 'selfsubjectrulesreviews',
  namespaced: false,
  isStored: false,
  setDefaults(review) {
    review.spec ??= {};
  },
});
