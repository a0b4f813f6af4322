import { createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigReader } from '@periplus/component';
import { OidcAuthenticator } from '@periplus/operations';
import { kubectl } from '@periplus/testing';
import { type JWTHeaderParameters, type JWTPayload, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { shapeConfig } from '../../../apps/api-server/src/config.ts';
import { TestProvider } from './login-servers.ts';
import { TestServer } from './test-server.ts';

let provider: TestProvider;
let server: TestServer;

/** As the configuration file says it. */
const oidcConfig = (folder: string, more: object = {}) => {
  const file = (name: string): string => join(folder, name);
  writeFileSync(file('provider-ca.crt'), provider.ca);
  const reader = new ConfigReader({
    etcd: { endpoints: ['http://127.0.0.1:1'] },
    tls: { cert: file('apiserver.crt'), key: file('apiserver.key'), clientCa: file('ca.crt') },
    serviceAccounts: { signingKey: file('sa.key') },
    encryptionKeys: file('encryption-keys.json'),
    oidc: {
      issuerUrl: provider.url,
      clientId: 'kubernetes',
      usernamePrefix: 'oidc:',
      groupsClaim: 'groups',
      groupsPrefix: 'oidc:',
      requiredClaims: { hd: 'example.com' },
      ca: file('provider-ca.crt'),
      ...more,
    },
  });
  return shapeConfig(reader).oidc!;
};

beforeAll(async () => {
  provider = await TestProvider.start();
  server = await TestServer.start((_, folder) => ({ oidc: oidcConfig(folder) }));
  await server.kubectl('create clusterrolebinding crew --clusterrole=cluster-admin --group=oidc:crew');
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});

const token = (claims: JWTPayload = {}, header: Partial<JWTHeaderParameters> = {}, key?: KeyObject) =>
  provider.token({ hd: 'example.com', ...claims }, header, key);
const AUTHENTICATION = '/apis/authentication.k8s.io/v1';
const whoami = async (bearer: string) => {
  const headers = { authorization: `Bearer ${bearer}` };
  const { code, json } = await server.ask('POST', `${AUTHENTICATION}/selfsubjectreviews`, {
    as: '',
    headers,
    body: {},
  });
  return code === 201 ? json.status.userInfo : { code, message: json.message };
};
const problemOf = async (bearer: string): Promise<string> => {
  const { json } = await server.ask('POST', `${AUTHENTICATION}/tokenreviews`, { body: { spec: { token: bearer } } });
  return json.status.error;
};

describe('an ID token', () => {
  it('makes a user of its claims', async () => {
    expect(await whoami(await token({ groups: ['crew', 'all'] }))).toEqual({
      username: 'oidc:jane',
      groups: ['oidc:crew', 'oidc:all', 'system:authenticated'],
    });
    expect(await whoami(await token({ groups: 'crew' }))).toMatchObject({
      groups: ['oidc:crew', 'system:authenticated'],
    });
  });

  it('is what kubectl gets in with', async () => {
    const kubeconfig = join(server.folder, 'oidc.kubeconfig');
    const ca = server.pem('ca.crt').toString('base64');
    const user = { token: await token({ groups: ['crew'] }) };
    const cluster = { server: `https://127.0.0.1:${server.port}`, 'certificate-authority-data': ca };
    const context = { cluster: 'c', user: 'u' };
    const named = { clusters: [{ name: 'c', cluster }], users: [{ name: 'u', user }] };
    writeFileSync(kubeconfig, JSON.stringify({ ...named, contexts: [{ name: 'x', context }], 'current-context': 'x' }));
    const options = { kubeconfig, home: server.folder };
    expect((await kubectl(['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}'], options)).stdout).toBe(
      'oidc:jane',
    );
    expect((await kubectl(['get', 'namespaces', '-o', 'name'], options)).stdout).toContain('namespace/default');
  });

  it('is for the api-server when somebody asks', async () => {
    const spec = { token: await token() };
    const { json } = await server.ask('POST', `${AUTHENTICATION}/tokenreviews`, { body: { spec } });
    expect(json.status).toMatchObject({ authenticated: true, user: { username: 'oidc:jane' } });
    const elsewhere = { ...spec, audiences: ['vault'] };
    const answer = await server.ask('POST', `${AUTHENTICATION}/tokenreviews`, { body: { spec: elsewhere } });
    expect(answer.json.status).toEqual({ user: {}, error: 'invalid bearer token' });
  });

  const now = () => Math.floor(Date.now() / 1000);
  const another = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  it.each<[string, () => Promise<string>, string]>([
    ['ran out', () => token({ exp: now() - 1 }), 'oidc: verify token: oidc: token is expired (Token Expiry: '],
    ['never ends', () => token({ exp: undefined }), 'oidc: verify token: oidc: token is expired (Token Expiry: '],
    ['is for later', () => token({ nbf: now() + 400 }), 'oidc: verify token: oidc: current time is before the nbf'],
    [
      'is for others',
      () => token({ aud: 'kubectl' }),
      'oidc: verify token: oidc: expected audience "kubernetes" got ["kubectl"]',
    ],
    ['was signed by somebody else', () => token({}, {}, another), 'oidc: verify token: failed to verify signature: '],
    ['names an unknown key', () => token({}, { kid: 'x' }), 'oidc: verify token: failed to verify signature: '],
    [
      'is not signed',
      async () => new UnsecuredJWT({ iss: provider.url, aud: 'kubernetes', sub: 'jane', exp: now() + 60 }).encode(),
      'oidc: verify token: ',
    ],
    [
      'is signed with another algorithm',
      () => token({}, { alg: 'RS512' }),
      'oidc: verify token: oidc: id token signed with unsupported algorithm',
    ],
    [
      'is signed with what everybody knows',
      () => token({}, { alg: 'HS256' }, createSecretKey(Buffer.from(provider.ca))),
      'oidc: verify token: oidc: id token signed with unsupported algorithm',
    ],
    ['was cut off', async () => (await token()).slice(0, -9), 'oidc: verify token: failed to verify signature: '],
    [
      'says nothing of the user',
      () => token({ sub: undefined }),
      'oidc: parse username claims "sub": claim not present',
    ],
    ['has odd groups', () => token({ groups: [{ crew: true }] }), 'oidc: parse groups claim "groups": '],
    ['lacks a claim', () => token({ hd: undefined }), 'oidc: required claim hd not present in ID token'],
    [
      'has another claim',
      () => token({ hd: 'elsewhere.com' }),
      'oidc: required claim hd value does not match. Got = elsewhere.com, want = example.com',
    ],
    ['is by another provider', () => token({ iss: 'https://elsewhere' }), ''],
  ])('that %s is refused', async (_, make, why) => {
    const bearer = await make();
    expect(await whoami(bearer)).toEqual({ code: 401, message: 'Unauthorized' });
    const problem = await problemOf(bearer);
    if (why) expect(problem).toContain(`[invalid bearer token, ${why}`);
    else expect(problem).toBe('invalid bearer token');
  });
});

describe('a provider', () => {
  let clockMs: number;
  let login: OidcAuthenticator;
  const fresh = (more: object = {}): void => {
    login?.close();
    login = new OidcAuthenticator(oidcConfig(server.folder, { requiredClaims: {}, ...more }), () => clockMs);
  };
  beforeEach(() => {
    clockMs = Date.now();
    provider.isDown = false;
    provider.asked.length = 0;
  });
  afterAll(() => login.close());

  it('is asked for its keys once, whoever comes', async () => {
    fresh();
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, i) => provider.token({ sub: `u${i}` })));
    const users = await Promise.all(tokens.map((one) => login.authenticate(one)));
    expect(users.map((user) => user?.name)).toEqual(tokens.map((_, i) => `oidc:u${i}`));
    expect(provider.asked).toEqual(['/.well-known/openid-configuration', '/keys']);
  });

  it('that is away keeps its users out, and lets them in when it is back', async () => {
    fresh();
    provider.isDown = true;
    const one = await provider.token();
    await expect(login.authenticate(one)).rejects.toThrow('oidc: authenticator not initialized');
    provider.isDown = false;
    // It is left alone for a while.
    await expect(login.authenticate(one)).rejects.toThrow('oidc: authenticator not initialized');
    expect(provider.asked).toEqual(['/.well-known/openid-configuration']);
    clockMs += 10_000;
    expect((await login.authenticate(one))?.name).toBe('oidc:jane');
  });

  it('is not believed under another name, or behind another certificate', async () => {
    fresh({ issuerUrl: provider.url.replace('127.0.0.1', 'localhost') });
    const one = await provider.token({ iss: provider.url.replace('127.0.0.1', 'localhost') });
    await expect(login.authenticate(one)).rejects.toThrow('oidc: authenticator not initialized');
    fresh({ ca: join(server.folder, 'ca.crt') });
    await expect(login.authenticate(await provider.token())).rejects.toThrow('oidc: authenticator not initialized');
  });

  it('may change its keys', async () => {
    fresh();
    const before = await provider.token();
    await login.authenticate(before);
    provider.rotate('second');
    const after = await provider.token();
    await vi.waitFor(async () => expect((await login.authenticate(after))?.name).toBe('oidc:jane'), {
      timeout: 10_000,
    });
    await expect(login.authenticate(before)).rejects.toThrow('failed to verify signature');
  });

  it('may have several keys, of which its tokens do not say which', async () => {
    provider.addKey('spare');
    fresh();
    const anonymous = await provider.token({}, { kid: undefined });
    expect((await login.authenticate(anonymous))?.name).toBe('oidc:jane');
    const another = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const forged = await provider.token({}, { kid: undefined }, another);
    await expect(login.authenticate(forged)).rejects.toThrow('failed to verify signature');
  });

  it('is not asked again about a token that was just found to hold', async () => {
    fresh();
    const one = await provider.token();
    const user = await login.authenticate(one);
    expect(login.remembered(one)).toBe(user);
    clockMs += 10_000;
    expect(login.remembered(one)).toBeUndefined();
    // Never beyond its end.
    const brief = await provider.token({ exp: Math.floor(clockMs / 1000) + 5 });
    await login.authenticate(brief);
    clockMs += 6_000;
    expect(login.remembered(brief)).toBeUndefined();
  });

  it('names people by their addresses where they own them', async () => {
    fresh({ usernameClaim: 'email', usernamePrefix: undefined, groupsClaim: undefined });
    const email = 'jane@example.com';
    expect((await login.authenticate(await provider.token({ email, email_verified: true })))?.name).toBe(email);
    expect((await login.authenticate(await provider.token({ email })))?.name).toBe(email);
    const unowned = await provider.token({ email, email_verified: false });
    await expect(login.authenticate(unowned)).rejects.toThrow('oidc: email not verified');
    fresh({ usernamePrefix: undefined });
    expect((await login.authenticate(await provider.token()))?.name).toBe(`${provider.url}#jane`);
    fresh({ usernamePrefix: '-' });
    expect((await login.authenticate(await provider.token()))?.name).toBe('jane');
  });
});
