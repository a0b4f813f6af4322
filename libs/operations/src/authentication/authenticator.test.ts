/** Whatever somebody shows that is not a token of ours gets a 401, and nothing worse. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type StatusError, unauthorized } from '@periplus/apimachinery';
import fc from 'fast-check';
import { type JWTPayload, SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CacheReader } from '../cluster-state.ts';
import type { Authenticator } from '../types.ts';
import { createAuthenticator } from './authenticator.ts';
import { BootstrapTokenAuthenticator } from './bootstrap-token-authenticator.ts';
import { forApiServer } from './for-api-server.ts';
import { LegacyTokenAuthenticator } from './legacy-token-authenticator.ts';
import { LegacyTokenUses } from './legacy-token-uses.ts';
import { ServiceAccountAuthenticator } from './service-account-authenticator.ts';
import { ServiceAccountTokens } from './service-account-tokens.ts';
import { TokenRefused } from './token-authenticator.ts';

const ISSUER = 'https://issuer';
const RUNS = 300;
/** A cluster without service accounts. */
const cache = { revision: 1, get: () => undefined, current: async () => 1 } as unknown as CacheReader;

let key: KeyObject;
let login: Authenticator;
beforeAll(() => {
  const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
  key = createPrivateKey(pem);
  const tokens = new ServiceAccountTokens({ signingKey: pem, issuer: ISSUER, audiences: [ISSUER] });
  const deps = { cache, tokens, now: Date.now };
  login = createAuthenticator({
    tokens: [
      forApiServer([ISSUER], new LegacyTokenAuthenticator({ ...deps, uses: new LegacyTokenUses(Date.now) })),
      new ServiceAccountAuthenticator(deps),
      forApiServer([ISSUER], new BootstrapTokenAuthenticator(deps)),
    ],
    audiences: [ISSUER],
    anonymous: true,
  });
});

async function refused(bearerToken: string): Promise<void> {
  const asked = Promise.resolve().then(() => login.authenticate({ certificate: null, bearerToken }));
  const error = await asked.then(
    () => undefined,
    (reason: StatusError) => reason,
  );
  expect(error).toEqual(unauthorized());
  await expect(login.review(bearerToken, [])).rejects.toBeInstanceOf(TokenRefused);
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const header = fc.record(
  {
    alg: fc.oneof(fc.constantFrom('none', 'HS256', 'RS256', 'ES256', 'PS512'), fc.jsonValue()),
    kid: fc.jsonValue(),
    typ: fc.jsonValue(),
    crit: fc.oneof(fc.constant(['b64']), fc.jsonValue()),
    b64: fc.jsonValue(),
    jwk: fc.jsonValue(),
  },
  { requiredKeys: ['alg'] },
);
const issuer = fc.constantFrom(ISSUER, 'kubernetes/serviceaccount', 'https://elsewhere');
const account = fc.record({ name: fc.constantFrom('bot', '__proto__', ''), uid: fc.constant('u') });
const claims: fc.Arbitrary<Record<string, unknown>> = fc.record(
  {
    iss: issuer,
    aud: fc.oneof(fc.constant(ISSUER), fc.constant([ISSUER]), fc.jsonValue()),
    sub: fc.oneof(fc.constant('system:serviceaccount:default:bot'), fc.jsonValue()),
    exp: fc.oneof(fc.constant(4_000_000_000), fc.jsonValue()),
    nbf: fc.jsonValue(),
    iat: fc.jsonValue(),
    jti: fc.jsonValue(),
    'kubernetes.io': fc.oneof(
      fc.record({ namespace: fc.constant('default'), serviceaccount: account, pod: fc.jsonValue() }),
      fc.jsonValue(),
    ),
    'kubernetes.io/serviceaccount/namespace': fc.oneof(fc.constant('default'), fc.jsonValue()),
    'kubernetes.io/serviceaccount/secret.name': fc.oneof(fc.constant('s'), fc.jsonValue()),
    'kubernetes.io/serviceaccount/service-account.name': fc.oneof(fc.constant('bot'), fc.jsonValue()),
    'kubernetes.io/serviceaccount/service-account.uid': fc.oneof(fc.constant('u'), fc.jsonValue()),
  },
  { requiredKeys: ['iss'] },
);

describe('a token that nobody issued is refused', () => {
  it('whatever it is', async () => {
    await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary' }), refused), { numRuns: RUNS });
  });

  it('in the form of a JWT', async () => {
    const token = fc
      .tuple(header, claims, fc.base64String())
      .map(([head, body, end]) => `${part(head)}.${part(body)}.${end}`);
    await fc.assert(fc.asyncProperty(token, refused), { numRuns: RUNS });
  });

  it('in the form of a bootstrap token', async () => {
    await fc.assert(fc.asyncProperty(fc.stringMatching(/^[a-z0-9]{6}\.[a-z0-9]{16}$/), refused), { numRuns: 100 });
  });

  it('even when our key signed it, for an account that is not there', async () => {
    const signed = async (payload: Record<string, unknown>): Promise<void> => {
      const { iss, ...rest } = payload;
      // What cannot be signed cannot be shown either.
      const token = await new SignJWT({ ...rest, iss } as JWTPayload)
        .setProtectedHeader({ alg: 'ES256' })
        .sign(key)
        .catch(() => null);
      if (token !== null) await refused(token);
    };
    await fc.assert(fc.asyncProperty(claims, signed), { numRuns: RUNS });
  });
});

it('tells why a token was refused, and never the token', async () => {
  const heard: string[] = [];
  const refusing = {
    remembered: () => undefined,
    authenticate: async (token: string) => {
      throw new TokenRefused(`${token} has run out`);
    },
  };
  const strict = createAuthenticator({
    ...{ tokens: [refusing], audiences: [ISSUER], anonymous: true },
    onRefused: (why) => heard.push(why),
  });
  await expect(strict.authenticate({ certificate: null, bearerToken: 'sesame' })).rejects.toEqual(unauthorized());
  expect(heard).toEqual(['[invalid bearer token, [token] has run out]']);
});
