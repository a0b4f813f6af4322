import { unauthorized } from '@periplus/apimachinery';
import type { Authenticator, Credentials, TokenIdentity, User } from '../types.ts';
import { ANONYMOUS, certificateUser } from './certificate-user.ts';
import { type TokenAuthenticator, TokenRefused } from './token-authenticator.ts';

const INVALID = 'invalid bearer token';

/** Why none of the authenticators took a token, as Go prints a list of errors. */
const refusal = (reasons: readonly string[]): TokenRefused =>
  new TokenRefused(reasons.length === 0 ? INVALID : `[${[INVALID, ...reasons].join(', ')}]`);

export interface AuthenticatorDeps {
  /** Asked in this order. */
  tokens: readonly TokenAuthenticator[];
  /** The api-server's own: what a token must be for that is shown to it. */
  audiences: readonly string[];
  /** Whether requests without credentials are let in as system:anonymous. */
  anonymous: boolean;
  /** Hears why a token was refused, which its holder is not told. */
  onRefused?: (why: string) => void;
}

/** Tries in order: client certificate, bearer token, anonymous. A token that does not hold is never anonymous but refused. */
export function createAuthenticator(deps: AuthenticatorDeps): Authenticator {
  const { tokens, audiences, anonymous, onRefused } = deps;
  const review = async (token: string, wanted: readonly string[]): Promise<TokenIdentity> => {
    const reasons: string[] = [];
    for (const one of tokens) {
      try {
        const identity = await one.authenticate(token, wanted.length > 0 ? wanted : audiences);
        if (identity) return identity;
      } catch (error) {
        if (!(error instanceof TokenRefused)) throw error;
        reasons.push(error.message);
      }
    }
    throw refusal(reasons);
  };

  const login = async (token: string): Promise<User> => {
    try {
      return (await review(token, audiences)).user;
    } catch (error) {
      if (!(error instanceof TokenRefused)) throw error;
      // What another server says of a token may hold it.
      onRefused?.(error.message.replaceAll(token, '[token]'));
      // Whatever is wrong with it, and whoever made it, the answer is the same 401.
      throw unauthorized();
    }
  };

  return {
    review,
    authenticate({ certificate, bearerToken }: Credentials): User | Promise<User> {
      const user = certificate && certificateUser(certificate);
      if (user) return user;
      if (bearerToken !== null) {
        for (const one of tokens) {
          const known = one.remembered(bearerToken);
          if (known) return known;
        }
        return login(bearerToken);
      }
      if (!anonymous) throw unauthorized();
      return ANONYMOUS;
    },
  };
}
