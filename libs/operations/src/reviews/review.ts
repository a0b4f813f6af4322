import {
  type Kind,
  localSubjectAccessReview,
  selfSubjectAccessReview,
  selfSubjectReview,
  selfSubjectRulesReview,
  subjectAccessReview,
  tokenReview,
} from '@periplus/api';
import { invalid, type KubeObject } from '@periplus/apimachinery';
import type { Body, ObjectResult, RequestContext, Target } from '../types.ts';
import { resultOf } from '../writing/committer.ts';
import { ROOT, type WriteDeps } from '../writing/create.ts';
import { decodeObject } from '../writing/decode.ts';
import { settleNamespace } from '../writing/metadata.ts';
import type { Answer, ReviewDeps } from './answer.ts';
import { reviewSelf } from './self-subject.ts';
import { reviewAccess, reviewOwnAccess } from './subject-access.ts';
import { reviewOwnRules } from './subject-rules.ts';
import { reviewToken } from './token.ts';

const answer = <T extends KubeObject>(kind: Kind<T>, by: Answer<T>) =>
  [kind as unknown as Kind, by as unknown as Answer<KubeObject>] as const;

const answers = new Map<Kind, Answer<KubeObject>>([
  answer(subjectAccessReview, reviewAccess),
  answer(localSubjectAccessReview, reviewAccess),
  answer(selfSubjectAccessReview, reviewOwnAccess),
  answer(selfSubjectRulesReview, reviewOwnRules),
  answer(selfSubjectReview, reviewSelf),
  answer(tokenReview, reviewToken),
]);

/** Answers a question about users or tokens, which is asked like the creation of an object and never stored. */
export async function answerReview(
  deps: ReviewDeps,
  { authorize, admission }: Pick<WriteDeps, 'authorize' | 'admission'>,
  context: RequestContext,
  target: Target,
  body: Body,
): Promise<ObjectResult> {
  authorize(context, target, 'create');
  const { kind } = target;
  const review = decodeObject(context, kind, body.value, body);
  settleNamespace(review.metadata, target);
  await admission.admit({ operation: 'create', context, target, name: '', object: review, old: null });
  const problems = kind.validate(review, ROOT);
  // Without the kind, as kube-apiserver words it.
  if (problems.length > 0) throw invalid({ group: kind.group, kind: '' }, '', problems);
  await answers.get(kind)!(deps, context, review);
  return resultOf(review, '', 0, 201);
}
