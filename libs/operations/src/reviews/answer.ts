import type { KubeObject } from '@periplus/apimachinery';
import type { ClusterAuthorizer } from '../authorization/authorizer.ts';
import type { Authenticator, RequestContext } from '../types.ts';

/** Whom reviews ask. */
export interface ReviewDeps {
  authorizer: ClusterAuthorizer;
  authenticator: Pick<Authenticator, 'review'>;
}

/** Fills in the review's status. */
export type Answer<T extends KubeObject> = (
  deps: ReviewDeps,
  context: RequestContext,
  review: T,
) => void | Promise<void>;
