import type { ITokenReview } from 'kubernetes-models/authentication.k8s.io/v1/TokenReview';
import { defineKind } from '../define.ts';
import type { Stored } from '../stored.ts';

export type TokenReview = Stored<ITokenReview>;

/** https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/ */
export const tokenReview = defineKind<TokenReview>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenReview',
  plural: 'tokenreviews',
  namespaced: false,
  isStored: false,
  setDefaults(review) {
    review.spec ??= { token: '' };
  },
});
