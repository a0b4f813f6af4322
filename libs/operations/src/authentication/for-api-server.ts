import type { User } from '../types.ts';
import type { TokenAuthenticator } from './token-authenticator.ts';

/** A way to learn whose a token is that says nothing of whom it is for. */
export interface UserAuthenticator {
  remembered(token: string): User | undefined;
  /** Undefined: it is none of these tokens. Rejects with TokenRefused. */
  authenticate(token: string): Promise<User | undefined>;
}

/** Such tokens are for the api-server, which goes by the names `own`, and for nobody else. */
export const forApiServer = (own: readonly string[], of: UserAuthenticator): TokenAuthenticator => ({
  remembered: (token) => of.remembered(token),
  async authenticate(token, audiences) {
    const shared = audiences.filter((audience) => own.includes(audience));
    if (shared.length === 0) return undefined;
    const user = await of.authenticate(token);
    return user && { user, audiences: shared };
  },
});
