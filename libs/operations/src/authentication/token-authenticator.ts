import type { TokenIdentity, User } from '../types.ts';

/** A token of a known sort that does not hold. The message, which never holds the token, says why. */
export class TokenRefused extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'TokenRefused';
  }
}

/** One way to learn whose a bearer token is. https://kubernetes.io/docs/reference/access-authn-authz/authentication/ */
export interface TokenAuthenticator {
  /** The user of a token that was found to hold for the api-server, and still does. Runs on every request. */
  remembered(token: string): User | undefined;
  /** Undefined: it is none of these tokens. `audiences` are those that it must be for one of. Rejects with TokenRefused. */
  authenticate(token: string, audiences: readonly string[]): Promise<TokenIdentity | undefined>;
}
