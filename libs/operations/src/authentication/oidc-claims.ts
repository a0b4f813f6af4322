import type { JWTPayload } from 'jose';
import type { User } from '../types.ts';
import { AUTHENTICATED } from './certificate-user.ts';
import { TokenRefused } from './token-authenticator.ts';

/** What of an ID token makes a user. https://kubernetes.io/docs/reference/access-authn-authz/authentication/#openid-connect-tokens */
export interface OidcClaims {
  /** "sub", "email". */
  usernameClaim: string;
  /** In front of the name; '' for none. */
  usernamePrefix: string;
  /** Its value is a group or a list of them; '' for none. */
  groupsClaim: string;
  groupsPrefix: string;
  /** Claims that must be there with exactly these values. */
  requiredClaims: Readonly<Record<string, string>>;
}

const refused = (why: string): TokenRefused => new TokenRefused(`oidc: ${why}`);

function usernameOf(payload: JWTPayload, { usernameClaim, usernamePrefix }: OidcClaims): string {
  const name = payload[usernameClaim];
  if (name === undefined) throw refused(`parse username claims ${JSON.stringify(usernameClaim)}: claim not present`);
  if (typeof name !== 'string' || name === '') {
    throw refused(`parse username claims ${JSON.stringify(usernameClaim)}: it is not a text`);
  }
  // Who does not own an address must not be known by it.
  if (usernameClaim === 'email' && payload.email_verified !== undefined && payload.email_verified !== true) {
    throw refused('email not verified');
  }
  return usernamePrefix + name;
}

function groupsOf(payload: JWTPayload, { groupsClaim, groupsPrefix }: OidcClaims): string[] {
  const groups = groupsClaim === '' ? undefined : payload[groupsClaim];
  if (groups === undefined) return [];
  const list: unknown[] = [groups].flat();
  if (!list.every((group) => typeof group === 'string')) {
    throw refused(`parse groups claim ${JSON.stringify(groupsClaim)}: it is neither a text nor a list of texts`);
  }
  return list.map((group) => groupsPrefix + group);
}

/** The user of an ID token whose signature, audience and time were checked. Throws TokenRefused. */
export function oidcUser(payload: JWTPayload, claims: OidcClaims): User {
  const name = usernameOf(payload, claims);
  const groups = groupsOf(payload, claims);
  for (const [claim, value] of Object.entries(claims.requiredClaims)) {
    const found = payload[claim];
    if (found === undefined) throw refused(`required claim ${claim} not present in ID token`);
    if (found !== value) throw refused(`required claim ${claim} value does not match. Got = ${found}, want = ${value}`);
  }
  return { name, uid: '', groups: [...new Set([...groups, AUTHENTICATED])], extra: {} };
}
