import type { ClusterCache } from '@periplus/cache';
import type { Logger } from '@periplus/component';
import {
  type Authenticator,
  BootstrapTokenAuthenticator,
  createAuthenticator,
  forApiServer,
  LegacyTokenAuthenticator,
  type LegacyTokenUses,
  OidcAuthenticator,
  ServiceAccountAuthenticator,
  type ServiceAccountTokens,
  WebhookAuthenticator,
} from '@periplus/operations';
import type { Config } from './config.ts';
import { refusedLogins } from './refused-logins.ts';

/** All the ways to get in. */
export interface Logins {
  authenticator: Authenticator;
  close(): void;
}

/** Tokens are asked about in kube-apiserver's order. */
export function openLogins(
  { anonymous, oidc, tokenWebhook }: Config,
  cache: ClusterCache,
  tokens: ServiceAccountTokens,
  log: Logger,
  now: () => number,
  uses: LegacyTokenUses,
): Logins {
  const { audiences } = tokens;
  const provider = oidc && new OidcAuthenticator(oidc, now);
  const webhook = tokenWebhook && new WebhookAuthenticator(tokenWebhook, audiences, now);
  const authenticators = [
    forApiServer(audiences, new LegacyTokenAuthenticator({ cache, tokens, now, uses })),
    new ServiceAccountAuthenticator({ cache, tokens, now }),
    forApiServer(audiences, new BootstrapTokenAuthenticator({ cache, now })),
    ...(provider ? [forApiServer(audiences, provider)] : []),
    ...(webhook ? [webhook] : []),
  ];
  return {
    authenticator: createAuthenticator({
      tokens: authenticators,
      audiences,
      anonymous,
      onRefused: refusedLogins(log, now),
    }),
    close() {
      provider?.close();
      webhook?.close();
    },
  };
}
