import { secret } from '@periplus/api';
import type { Command } from '@periplus/client';
import { type Controller, defineController } from '@periplus/reconcile';
import { ANSWER_SOON_MS } from '../enquiry.ts';
import { endMs, type TokenEnquiry, tokenChanges, tokensIn } from './bootstrap-tokens.ts';

/**
 * Deletes bootstrap tokens when their time is over.
 * https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/#token-management-with-kubeadm
 */
export const tokenCleaner = (ask: TokenEnquiry): Controller =>
  defineController({
    name: 'tokencleaner',
    for: null,
    watches: [tokenChanges],
    reconcile(_ref, view) {
      const tokens = tokensIn(view, ask);
      if (!tokens) return { steps: [], lookAgainMs: ANSWER_SOON_MS };
      const isOver = (token: (typeof tokens)[number]): boolean => endMs(token) <= view.nowMs;
      const commands = tokens.filter(isOver).map(({ metadata: { namespace = '', name = '', uid } }): Command => {
        return { verb: 'delete', kind: secret, namespace, name, ifUid: uid };
      });
      const nextMs = Math.min(...tokens.map(endMs).filter((atMs) => atMs > view.nowMs)) - view.nowMs;
      return {
        steps: commands.length > 0 ? [commands] : [],
        ...(Number.isFinite(nextMs) && { lookAgainMs: nextMs }),
      };
    },
  });
