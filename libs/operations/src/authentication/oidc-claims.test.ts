import fc from 'fast-check';
import type { JWTPayload } from 'jose';
import { expect, it } from 'vitest';
import { type OidcClaims, oidcUser } from './oidc-claims.ts';
import { TokenRefused } from './token-authenticator.ts';

const rules: OidcClaims = {
  ...{ usernameClaim: 'email', usernamePrefix: 'oidc:', groupsClaim: 'groups', groupsPrefix: 'oidc:' },
  requiredClaims: { hd: 'example.com' },
};

it('makes of any claims a user of the provider, or refuses them', () => {
  const claims = fc.record(
    {
      email: fc.oneof(fc.string(), fc.jsonValue()),
      email_verified: fc.oneof(fc.constant(true), fc.jsonValue()),
      groups: fc.oneof(fc.array(fc.string()), fc.jsonValue()),
      hd: fc.oneof(fc.constant('example.com'), fc.jsonValue()),
    },
    { requiredKeys: ['hd'] },
  );
  let users = 0;
  const checked = (payload: object): void => {
    try {
      const { name, groups, extra } = oidcUser(payload as JWTPayload, rules);
      users++;
      expect(name).toMatch(/^oidc:./s);
      expect(groups.filter((group) => !group.startsWith('oidc:'))).toEqual(['system:authenticated']);
      expect(extra).toEqual({});
      expect(payload).toMatchObject({ hd: 'example.com' });
    } catch (error) {
      if (!(error instanceof TokenRefused)) throw error;
    }
  };
  fc.assert(fc.property(claims, checked), { numRuns: 2_000 });
  expect(users).toBeGreaterThan(0);
});
