import { generateKeyPairSync } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { ServiceAccountTokens, type TokenClaims } from './service-account-tokens.ts';

const NOW_MS = Date.parse('2026-01-01T00:00:00Z');
const ISSUER = 'https://issuer';
const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey;
const pem = (key: ReturnType<typeof rsa>) => key.export({ type: 'pkcs8', format: 'pem' });
const tokensOf = (key: ReturnType<typeof rsa>, ...others: ReturnType<typeof rsa>[]) =>
  new ServiceAccountTokens({
    signingKey: pem(key),
    verificationKeys: others.map(pem),
    issuer: ISSUER,
    audiences: [ISSUER],
  });
const claims: TokenClaims = {
  ...{ id: 'j', audiences: ['a', 'b'], issuedAtMs: NOW_MS, expiresAtMs: NOW_MS + 600_000, warnAfterMs: null },
  ...{
    namespace: 'n',
    serviceAccount: { name: 's', uid: 'u' },
    pod: { name: 'p', uid: 'q' },
    secret: null,
    node: null,
  },
};

describe('tokens of service accounts', () => {
  it.each([
    ['RS256', rsa()],
    ['ES256', ec('P-256')],
    ['ES384', ec('P-384')],
    ['ES512', ec('P-521')],
  ])('are signed by %s and say what they were made of', async (algorithm, key) => {
    const tokens = tokensOf(key);
    const token = await tokens.sign(claims);
    expect(decodeProtectedHeader(token).alg).toBe(algorithm);
    expect(await tokens.verify(token, NOW_MS, ['b', 'c'])).toEqual(claims);
    expect(tokens.publicKeys()).toMatchObject([{ use: 'sig', alg: algorithm, kid: decodeProtectedHeader(token).kid }]);
    expect(tokens.publicKeys()[0]).not.toHaveProperty('d');
  });

  it('hold a minute longer than they say, since clocks differ', async () => {
    const tokens = tokensOf(ec('P-256'));
    const token = await tokens.sign(claims);
    const { exp = 0, nbf = 0 } = decodeJwt(token);
    const at = (seconds: number) => tokens.verify(token, seconds * 1000, ['a']);
    await expect(at(exp + 59)).resolves.toBeDefined();
    await expect(at(exp + 61)).rejects.toThrow('service account token has expired');
    await expect(at(nbf - 59)).resolves.toBeDefined();
    await expect(at(nbf - 61)).rejects.toThrow('service account token is not valid yet');
  });

  it('of an older key hold as long as that key is kept', async () => {
    const [older, newer] = [rsa(), ec('P-256')];
    const token = await tokensOf(older).sign(claims);
    expect(await tokensOf(newer, older).verify(token, NOW_MS, ['a'])).toEqual(claims);
    await expect(tokensOf(newer).verify(token, NOW_MS, ['a'])).rejects.toThrow('invalid signature, no keys found');
  });

  it('that stand in secrets have no end', async () => {
    const tokens = tokensOf(rsa());
    const legacy = { namespace: 'n', serviceAccount: { name: 's', uid: 'u' }, secretName: 'x' };
    const token = await tokens.signLegacy(legacy);
    expect(await tokens.verifyLegacy(token, NOW_MS * 2)).toEqual(legacy);
    // Neither sort is taken for the other.
    expect(await tokens.verify(token, NOW_MS, [ISSUER])).toBeUndefined();
    expect(await tokens.verifyLegacy(await tokens.sign(claims), NOW_MS)).toBeUndefined();
  });
});
