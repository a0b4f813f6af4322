import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createLocalJWKSet, decodeJwt, type JWTPayload, jwtVerify, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ISSUER, TestServer } from './test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
  await ok('create serviceaccount bot');
  await ok('create clusterrole reader --verb=get,list --resource=configmaps');
  await ok('create clusterrolebinding bots --clusterrole=reader --serviceaccount=default:bot');
});
afterAll(() => server[Symbol.asyncDispose]());

const ok = (args: string, input?: string) => server.kubectlOk(args, input);

/** Waits until the check holds: what has changed is seen a moment later. */
const soon = <T>(check: () => Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 20_000 });

const list = (token: string) =>
  server.ask('GET', '/api/v1/namespaces/default/configmaps', {
    as: '',
    headers: { authorization: `Bearer ${token}` },
  });

/** Whom the server takes the holder of a token for. */
const whoami = async (token: string) => {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const headers = { authorization: `Bearer ${token}` };
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  const { code, json } = await server.ask('POST', path, { as: '', headers, body });
  return code === 201 ? json.status.userInfo : code;
};
const problemOf = async (token: string): Promise<string> => {
  const path = '/apis/authentication.k8s.io/v1/tokenreviews';
  return (await server.ask('POST', path, { body: { spec: { token } } })).json.status.error;
};
const apply = (object: object) => ok('apply -f -', JSON.stringify(object));
const uidOf = (what: string) => ok(`get ${what} -o jsonpath={.metadata.uid}`);

describe('a token that was asked for', () => {
  it('gets its account in, for as long as it was asked', async () => {
    const token = (await ok('create token bot --duration=20m')).trim();
    const { exp = 0, iat = 0 } = decodeJwt(token);
    expect(exp - iat).toBe(1200);
    expect((await list(token)).code).toBe(200);
    expect((await list(token)).code).toBe(200);
    const tooShort = await server.kubectl('create token bot --duration=5m');
    expect(tooShort.stderr).toContain('may not specify a duration less than 10 minutes');
  });

  it('is bound to a pod, with which it ends', async () => {
    const pod = (serviceAccountName: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `of-${serviceAccountName}` },
      spec: { serviceAccountName, nodeName: 'n1', containers: [{ name: 'c', image: 'i' }] },
    });
    await apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
    await apply(pod('bot'));
    await apply(pod('default'));
    const token = (await ok('create token bot --bound-object-kind=Pod --bound-object-name=of-bot')).trim();
    expect((await whoami(token)).extra).toEqual({
      'authentication.kubernetes.io/credential-id': [`JTI=${decodeJwt(token).jti}`],
      'authentication.kubernetes.io/node-name': ['n1'],
      'authentication.kubernetes.io/node-uid': [await uidOf('node n1')],
      'authentication.kubernetes.io/pod-name': ['of-bot'],
      'authentication.kubernetes.io/pod-uid': [await uidOf('pod of-bot')],
    });
    const other = await server.kubectl('create token bot --bound-object-kind=Pod --bound-object-name=of-default');
    expect(other.stderr).toContain(
      'cannot bind token for serviceaccount "bot" to pod running with different serviceaccount name.',
    );
    await ok('delete pod of-bot --force --grace-period=0');
    await soon(async () => expect((await list(token)).code).toBe(401));
    expect(await problemOf(token)).toBe('[invalid bearer token, service account token has been invalidated]');
  });

  it('is bound to a secret or a node, and no other kind', async () => {
    await ok('create secret generic vault');
    const ofSecret = (await ok('create token bot --bound-object-kind=Secret --bound-object-name=vault')).trim();
    const ofNode = (await ok('create token bot --bound-object-kind=Node --bound-object-name=n1')).trim();
    expect((await list(ofSecret)).code).toBe(200);
    expect((await whoami(ofNode)).extra).toMatchObject({ 'authentication.kubernetes.io/node-name': ['n1'] });
    await ok('delete secret vault');
    await ok('delete node n1');
    for (const token of [ofSecret, ofNode]) {
      await soon(async () => expect((await list(token)).code).toBe(401));
    }
    const spec = { boundObjectRef: { apiVersion: 'v1', kind: 'ConfigMap', name: 'x' } };
    const path = '/api/v1/namespaces/default/serviceaccounts/bot/token';
    expect((await server.ask('POST', path, { body: { spec } })).json.message).toBe(
      'cannot bind token to object of type v1, Kind=ConfigMap',
    );
  });

  it('says what it is bound to, if that is nothing', async () => {
    const path = '/api/v1/namespaces/default/serviceaccounts/default/token';
    const { spec } = (await server.ask('POST', path, { body: { spec: { audiences: ['a'] } } })).json;
    expect(spec).toEqual({ audiences: ['a'], expirationSeconds: 3600, boundObjectRef: null });
  });

  it('holds longer for programs that never look for a newer one', async () => {
    const name = 'forgetful';
    const containers = [{ name: 'c', image: 'i' }];
    await apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { serviceAccountName: 'bot', containers } });
    const spec = { expirationSeconds: 3607, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name } };
    const path = '/api/v1/namespaces/default/serviceaccounts/bot/token';
    const { status } = (await server.ask('POST', path, { body: { spec } })).json;
    const claims = decodeJwt<{ 'kubernetes.io': { warnafter: number } }>(status.token);
    expect(claims.exp! - claims.iat!).toBe(365 * 24 * 3600);
    expect(claims['kubernetes.io'].warnafter - claims.iat!).toBe(3607);
    expect(Math.abs(Date.parse(status.expirationTimestamp) / 1000 - claims.iat! - 3607)).toBeLessThanOrEqual(1);
  });
});

describe('a token that is not one', () => {
  const nowSeconds = () => Math.floor(Date.now() / 1000);
  const claims = async (more: JWTPayload = {}): Promise<JWTPayload> => ({
    iss: ISSUER,
    aud: [ISSUER],
    sub: 'system:serviceaccount:default:bot',
    iat: nowSeconds(),
    nbf: nowSeconds(),
    exp: nowSeconds() + 600,
    'kubernetes.io': { namespace: 'default', serviceaccount: { name: 'bot', uid: await uidOf('serviceaccount bot') } },
    ...more,
  });
  const signed = async (payload: JWTPayload, key?: KeyObject, kid?: string): Promise<string> => {
    const own = createPrivateKey(server.pem('sa.key'));
    return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', ...(kid && { kid }) }).sign(key ?? own);
  };
  const stranger = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

  it('is taken when nothing is wrong with it', async () => {
    expect((await list(await signed(await claims()))).code).toBe(200);
  });

  it.each<[string, () => Promise<string>, string]>([
    ['ran out', async () => signed(await claims({ exp: nowSeconds() - 120 })), 'service account token has expired'],
    [
      'is for later',
      async () => signed(await claims({ nbf: nowSeconds() + 600 })),
      'service account token is not valid yet',
    ],
    [
      'is for others',
      async () => signed(await claims({ aud: ['vault'] })),
      `token audiences ["vault"] is invalid for the target audiences ["${ISSUER}"]`,
    ],
    ['was signed by somebody else', async () => signed(await claims(), stranger()), 'invalid signature'],
    [
      'names an unknown key',
      async () => signed(await claims(), undefined, 'nobody'),
      'invalid signature, no keys found',
    ],
    ['is not signed', async () => new UnsecuredJWT(await claims()).encode(), 'invalid signature'],
    ['is by another issuer', async () => signed(await claims({ iss: 'https://elsewhere' })), ''],
    [
      'is of an account that is gone',
      async () =>
        signed(
          await claims({
            sub: 'system:serviceaccount:default:gone',
            'kubernetes.io': { namespace: 'default', serviceaccount: { name: 'gone', uid: 'x' } },
          }),
        ),
      'serviceaccounts "gone" not found',
    ],
    [
      'names one account and is of another',
      async () => signed(await claims({ sub: 'system:serviceaccount:kube-system:admin' })),
      'service account token claims could not be validated',
    ],
    ['was cut off', async () => (await signed(await claims())).slice(0, -20), 'invalid signature'],
    ['lost its end', async () => (await signed(await claims())).split('.').slice(0, 2).join('.'), ''],
    ['is nonsense', async () => 'nonsense', ''],
    ['is huge', async () => `${'x'.repeat(10_000)}.${'y'.repeat(10_000)}.${'z'.repeat(5_000)}`, ''],
  ])('that %s is refused', async (_, make, why) => {
    const token = await make();
    const answer = await list(token);
    expect(answer.json).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'Unauthorized',
      reason: 'Unauthorized',
      code: 401,
    });
    expect(await problemOf(token)).toBe(why ? `[invalid bearer token, ${why}]` : 'invalid bearer token');
  });

  it('ends with its account, and is not that of the next one of this name', async () => {
    await ok('create serviceaccount brief');
    const token = (await ok('create token brief')).trim();
    expect(await whoami(token)).toMatchObject({ username: 'system:serviceaccount:default:brief' });
    await ok('delete serviceaccount brief');
    await ok('create serviceaccount brief');
    await soon(async () => expect(await whoami(token)).toBe(401));
    expect(await problemOf(token)).toMatch(/service account UID \(.+\) does not match claim \(.+\)/);
  });
});

describe('a secret for a token', () => {
  const secretFor = (account: string, name: string, more: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, annotations: { 'kubernetes.io/service-account.name': account } },
    type: 'kubernetes.io/service-account-token',
    ...more,
  });
  const filled = (name: string) =>
    soon(async () => {
      const { data, metadata } = JSON.parse(await ok(`get secret ${name} -o json`));
      expect(data?.token).toBeTruthy();
      return { data, metadata, token: Buffer.from(data.token, 'base64').toString() };
    });

  it('is filled, and its token gets in until the secret is gone', async () => {
    await apply(secretFor('bot', 'bot-token'));
    const { data, metadata, token } = await filled('bot-token');
    expect(Buffer.from(data.namespace, 'base64').toString()).toBe('default');
    expect(Buffer.from(data['ca.crt'], 'base64')).toEqual(server.pem('ca.crt'));
    expect(metadata.annotations['kubernetes.io/service-account.uid']).toBe(await uidOf('serviceaccount bot'));
    expect(decodeJwt(token)).toMatchObject({ iss: 'kubernetes/serviceaccount' });
    expect(decodeJwt(token).exp).toBeUndefined();
    expect(await ok('describe secret bot-token')).toMatch(/^token: +ey/m);
    expect((await list(token)).code).toBe(200);
    expect(await whoami(token)).toEqual({
      username: 'system:serviceaccount:default:bot',
      uid: await uidOf('serviceaccount bot'),
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
    });
    await ok('delete secret bot-token');
    await soon(async () => expect((await list(token)).code).toBe(401));
    expect(await problemOf(token)).toBe('[invalid bearer token, Token has been invalidated]');
  });

  it('says when its token was last used, and until when it was taken', async () => {
    await apply(secretFor('bot', 'used'));
    const { token } = await filled('used');
    const labels = async () => JSON.parse(await ok('get secret used -o json')).metadata.labels;
    expect(await labels()).toBeUndefined();
    expect((await list(token)).code).toBe(200);
    const day = expect.stringMatching(/^\d{4}-\d\d-\d\d$/);
    await soon(async () => expect(await labels()).toEqual({ 'kubernetes.io/legacy-token-last-used': day }));
    await ok('label secret used kubernetes.io/legacy-token-invalid-since=2020-01-01');
    await soon(async () => expect((await list(token)).code).toBe(401));
    expect(await problemOf(token)).toBe(
      "[invalid bearer token, the token in secret default/used for service account default/bot has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the 'kubernetes.io/legacy-token-invalid-since' label from the secret to temporarily allow use of this token]",
    );
    await ok('label secret used kubernetes.io/legacy-token-invalid-since-');
    await soon(async () => expect((await list(token)).code).toBe(200));
    const tracking = 'configmap kube-apiserver-legacy-service-account-token-tracking';
    expect(JSON.parse(await ok(`-n kube-system get ${tracking} -o json`)).data).toEqual({ since: day });
  });

  it('that its account lists warns whoever uses it', async () => {
    await apply({
      ...{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'old' }, secrets: [{ name: 'unasked' }] },
    });
    await ok('create clusterrolebinding old --clusterrole=reader --serviceaccount=default:old');
    await apply(secretFor('old', 'unasked'));
    await apply(secretFor('old', 'asked'));
    const warningOf = async (name: string) => {
      const { code, headers } = await list((await filled(name)).token);
      expect(code).toBe(200);
      return headers.warning;
    };
    expect(await warningOf('unasked')).toBe(
      '299 - "Use tokens from the TokenRequest API or manually created secret-based tokens instead of auto-generated secret-based tokens."',
    );
    expect(await warningOf('asked')).toBeUndefined();
  });

  it('gets a new token in place of one that was taken out, which ends', async () => {
    await apply(secretFor('bot', 'renewed'));
    const before = await filled('renewed');
    await ok('patch secret renewed --type=json -p [{"op":"replace","path":"/data/token","value":"eA=="}]');
    await soon(async () => expect((await list(before.token)).code).toBe(401));
    expect(await problemOf(before.token)).toBe("[invalid bearer token, Token does not match server's copy]");
    await ok('patch secret renewed --type=json -p [{"op":"remove","path":"/data/token"}]');
    const after = await filled('renewed');
    expect((await list(after.token)).code).toBe(200);
  });

  it('goes with its account, and is not filled for one that is not there', async () => {
    await ok('create serviceaccount passing');
    await apply(secretFor('passing', 'passing-token'));
    const { token } = await filled('passing-token');
    await ok('delete serviceaccount passing');
    await ok('wait --for=delete secret/passing-token --timeout=20s');
    expect((await list(token)).code).toBe(401);
    await apply(secretFor('nobody', 'nobody-token'));
    await ok('wait --for=delete secret/nobody-token --timeout=20s');
  });
});

describe('a bootstrap token', () => {
  const secretWith = (id: string, more: Record<string, string> = {}, type = 'bootstrap.kubernetes.io/token') =>
    apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
      type,
      stringData: {
        'token-id': id,
        'token-secret': '0123456789abcdef',
        'usage-bootstrap-authentication': 'true',
        ...more,
      },
    });

  it('gets a node in', async () => {
    const later = new Date(Date.now() + 600_000).toISOString();
    await secretWith('aaaaaa', { expiration: later, 'auth-extra-groups': 'system:bootstrappers:workers' });
    expect(await whoami('aaaaaa.0123456789abcdef')).toEqual({
      username: 'system:bootstrap:aaaaaa',
      groups: ['system:bootstrappers', 'system:bootstrappers:workers', 'system:authenticated'],
    });
    await ok('-n kube-system delete secret bootstrap-token-aaaaaa');
    await soon(async () => expect(await whoami('aaaaaa.0123456789abcdef')).toBe(401));
  });

  it.each<[string, string, Record<string, string>, string?]>([
    ['ran out', 'bbbbb1', { expiration: '2020-01-01T00:00:00Z' }],
    ['ends at no time that can be read', 'bbbbb2', { expiration: 'tomorrow' }],
    ['is not for this', 'bbbbb3', { 'usage-bootstrap-authentication': 'false' }],
    ['has another id inside', 'bbbbb4', { 'token-id': 'cccccc' }],
    ['gives groups that it may not', 'bbbbb5', { 'auth-extra-groups': 'system:masters' }],
    ['has another secret', 'bbbbb6', { 'token-secret': 'fedcba9876543210' }],
    ['stands in a secret of another type', 'bbbbb7', {}, 'Opaque'],
  ])('that %s does not', async (_, id, more, type) => {
    await secretWith(id, more, type);
    expect(await whoami(`${id}.0123456789abcdef`)).toBe(401);
  });
});

describe('the issuer of tokens', () => {
  it('tells with which keys they can be checked', async () => {
    const configuration = await server.ask('GET', '/.well-known/openid-configuration');
    expect(configuration.json).toMatchObject({
      issuer: ISSUER,
      jwks_uri: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+\/openid\/v1\/jwks$/),
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
    });
    expect(configuration.headers['cache-control']).toBe('public, max-age=3600');
    const keys = await server.ask('GET', '/openid/v1/jwks');
    expect(keys.headers['content-type']).toBe('application/jwk-set+json');
    const token = (await ok('create token bot --audience=vault')).trim();
    const { payload } = await jwtVerify(token, createLocalJWKSet(JSON.parse(keys.body)), { issuer: ISSUER });
    expect(payload).toMatchObject({ aud: ['vault'], sub: 'system:serviceaccount:default:bot' });
    expect(keys.body).not.toContain('"d"');
  });

  it('is for service accounts, and not for everybody', async () => {
    const token = (await ok('create token bot')).trim();
    const headers = { authorization: `Bearer ${token}` };
    expect((await server.ask('GET', '/openid/v1/jwks', { as: '', headers })).code).toBe(200);
    expect((await server.ask('GET', '/openid/v1/jwks', { as: '' })).code).toBe(403);
  });
});
