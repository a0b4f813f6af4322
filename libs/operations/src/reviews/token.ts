import type { TokenReview } from '@periplus/api';
import { badRequest } from '@periplus/apimachinery';
import { TokenRefused } from '../authentication/token-authenticator.ts';
import type { Answer } from './answer.ts';
import { userInfo } from './user-info.ts';

/** Whose a token is that somebody has shown to the one who asks. */
export const reviewToken: Answer<TokenReview> = async ({ authenticator }, _, review) => {
  const { token, audiences: wanted = [] } = review.spec;
  if (!token) throw badRequest('token is required for TokenReview in authentication');
  try {
    const { user, audiences } = await authenticator.review(token, wanted);
    review.status = {
      authenticated: true,
      user: userInfo(user),
      ...(audiences.length > 0 && { audiences: [...audiences] }),
    };
  } catch (error) {
    if (!(error instanceof TokenRefused)) throw error;
    review.status = { user: {}, error: error.message };
  }
};
