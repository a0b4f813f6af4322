import type { SelfSubjectRulesReview } from '@periplus/api';
import { badRequest } from '@periplus/apimachinery';
import type { Answer } from './answer.ts';

/** All that the user who asks may do in a namespace. */
export const reviewOwnRules: Answer<SelfSubjectRulesReview> = ({ authorizer }, { user }, review) => {
  const { namespace } = review.spec;
  if (!namespace) throw badRequest('no namespace on request');
  const { rules, incomplete, problem } = authorizer.listRules(user, namespace);
  const own = structuredClone(rules) as NonNullable<SelfSubjectRulesReview['status']>['resourceRules'];
  review.metadata = {};
  review.spec = {};
  review.status = {
    resourceRules: own.filter(({ resources }) => resources?.length),
    nonResourceRules: rules.flatMap(({ verbs, nonResourceURLs }) =>
      nonResourceURLs?.length ? [{ verbs: [...verbs], nonResourceURLs: [...nonResourceURLs] }] : [],
    ),
    incomplete,
    ...(problem && { evaluationError: problem }),
  };
};
