import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WebhookAuthenticator } from '@periplus/operations';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readKubeconfig } from '../../../apps/api-server/src/kubeconfig.ts';
import { TestWebhook } from './login-servers.ts';
import { ISSUER, TestServer } from './test-server.ts';

let webhook: TestWebhook;
let server: TestServer;
const webhookConfig = (folder: string, cacheMs = 60_000) => {
  const path = join(folder, 'webhook.kubeconfig');
  writeFileSync(path, webhook.kubeconfig());
  return { ...readKubeconfig(path, 'tokenWebhook.kubeconfig'), cacheMs };
};

beforeAll(async () => {
  webhook = await TestWebhook.start();
  server = await TestServer.start((_, folder) => ({ tokenWebhook: webhookConfig(folder) }));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await webhook[Symbol.asyncDispose]();
});
beforeEach(() => {
  webhook.reviews.length = 0;
  webhook.answer = () => ({ authenticated: false });
});

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
const REFUSED = { code: 401, message: 'Unauthorized' };
const review = async (token: string, audiences?: string[]) => {
  const { json } = await server.ask('POST', `${AUTHENTICATION}/tokenreviews`, { body: { spec: { token, audiences } } });
  return json.status;
};
const user = { username: 'jane', uid: '17', groups: ['crew'], extra: { scope: ['a', 'b'] } };

describe('a webhook for tokens', () => {
  it('says who somebody is, and is asked once for a while', async () => {
    webhook.answer = () => ({ authenticated: true, user });
    const known = { ...user, groups: ['crew', 'system:authenticated'] };
    expect(await Promise.all(Array.from({ length: 5 }, () => whoami('good')))).toEqual(Array(5).fill(known));
    expect(await whoami('good')).toEqual(known);
    expect(webhook.reviews).toEqual([
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        metadata: {},
        spec: { token: 'good', audiences: [ISSUER] },
      },
    ]);
    expect(webhook.headers.at(-1)).toMatchObject({ authorization: 'Bearer secret-of-mine' });
  });

  it('is asked once about what it refuses, too', async () => {
    webhook.answer = () => ({ authenticated: false, error: 'no such token' });
    expect(await whoami('bad')).toEqual(REFUSED);
    expect(await whoami('bad')).toEqual(REFUSED);
    expect(webhook.reviews).toHaveLength(1);
    expect((await review('bad')).error).toBe('[invalid bearer token, no such token]');
  });

  it('is not asked about what the api-server knows itself', async () => {
    const { stdout } = await server.kubectl('create token default');
    expect(await whoami(stdout.trim())).toMatchObject({ username: 'system:serviceaccount:default:default' });
    expect((await server.ask('GET', '/version', { as: '' })).code).toBe(200);
    expect(webhook.reviews).toEqual([]);
  });

  it.each<[string, object | number]>([
    ['somebody without a name', { authenticated: true, user: { groups: ['crew'] } }],
    ['somebody with odd groups', { authenticated: true, user: { ...user, groups: 'crew' } }],
    ['somebody with odd extras', { authenticated: true, user: { ...user, extra: { scope: 'a' } } }],
    ['somebody for others', { authenticated: true, user, audiences: ['vault'] }],
    ['what is not quite true', { authenticated: 'true', user }],
    ['that it is not to be asked', 403],
  ])('that answers with %s lets nobody in', async (what, answer) => {
    webhook.answer = () => answer;
    expect(await whoami(encodeURIComponent(what))).toEqual(REFUSED);
    expect(webhook.reviews).toHaveLength(1);
  });

  it('is asked for whom a token is that others are shown', async () => {
    webhook.answer = (token) => ({ authenticated: true, user, ...(token === 'aware' && { audiences: ['vault'] }) });
    expect(await review('aware', ['vault', 'x'])).toMatchObject({ authenticated: true, audiences: ['vault'] });
    expect(webhook.reviews.at(-1)?.spec.audiences).toEqual(['vault', 'x']);
    // Of whom it says nothing, that is for the api-server.
    expect((await review('unaware', ['vault'])).authenticated).toBeUndefined();
    expect(await review('unaware', [ISSUER])).toMatchObject({ authenticated: true, audiences: [ISSUER] });
  });

  it('that fails is asked again, and believed when it is well', async () => {
    let calls = 0;
    webhook.answer = () => (++calls < 3 ? 503 : { authenticated: true, user });
    expect(await whoami('later')).toMatchObject({ username: 'jane' });
    expect(calls).toBe(3);
  });

  it('that is away lets nobody in, and that is not remembered', async () => {
    const gone = await TestWebhook.start();
    const config = webhookConfig(server.folder);
    await gone[Symbol.asyncDispose]();
    const login = new WebhookAuthenticator(
      { ...config, url: JSON.parse(gone.kubeconfig()).clusters[0].cluster.server },
      [ISSUER],
      Date.now,
    );
    await expect(login.authenticate('x', [ISSUER])).rejects.toThrow('the authentication webhook failed');
    expect(login.remembered('x')).toBeUndefined();
    login.close();
  });

  it('is asked anew when its answer has aged', async () => {
    let nowMs = 0;
    const login = new WebhookAuthenticator(webhookConfig(server.folder, 1_000), [ISSUER], () => nowMs);
    webhook.answer = () => ({ authenticated: true, user });
    await login.authenticate('aging', [ISSUER]);
    expect(login.remembered('aging')?.name).toBe('jane');
    nowMs = 1_000;
    expect(login.remembered('aging')).toBeUndefined();
    webhook.answer = () => ({ authenticated: false });
    expect(await login.authenticate('aging', [ISSUER])).toBeUndefined();
    login.close();
  });
});
