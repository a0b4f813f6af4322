import type { SelfSubjectReview } from '@periplus/api';
import { formatTime } from '@periplus/apimachinery';
import type { Answer } from './answer.ts';
import { userInfo } from './user-info.ts';

/** Who the user who asks is. */
export const reviewSelf: Answer<SelfSubjectReview> = (_, { user, nowMs }, review) => {
  review.metadata = { creationTimestamp: formatTime(nowMs) };
  review.status = { userInfo: userInfo(user) };
};
