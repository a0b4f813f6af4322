import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from './test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

const get = (path: string, headers: Record<string, string> = {}) => server.ask('GET', path, { headers });
const TEXT = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };

describe('pages that are no resources', () => {
  it.each(['/', '/version'])('%s is indented JSON, whoever asks', async (path) => {
    const { headers, body, json } = await get(path);
    expect(headers['content-type']).toBe('application/json');
    expect(body).toBe(JSON.stringify(json, null, 2));
  });

  it('that are not there say so in plain text', async () => {
    const { code, headers, body } = await get('/nowhere');
    expect({ code, body, headers }).toMatchObject({ code: 404, body: '404 page not found\n', headers: TEXT });
  });

  it('of health name their checks to who asks, and say which are left out', async () => {
    expect(await get('/readyz')).toMatchObject({ code: 200, body: 'ok', headers: TEXT });
    const { body } = await get('/readyz?verbose&exclude=etcd&exclude=b&exclude=a');
    expect(body.split('\n')).toEqual([
      '[+]ping ok',
      '[+]etcd excluded: ok',
      '[+]cache ok',
      '[+]shutdown ok',
      'warn: some health checks cannot be excluded: no matches for "a","b"',
      'readyz check passed',
      '',
    ]);
    expect((await get('/readyz/etcd')).body).toBe('ok');
  });
});

describe('discovery', () => {
  const accept = 'application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io';

  it.each(['/api', '/apis'])('of %s is to be kept where it has everything, and only there', async (path) => {
    expect((await get(path, { accept })).headers).toMatchObject({ 'cache-control': 'public', vary: 'Accept' });
    const { headers } = await get(path);
    expect(headers['cache-control']).toBe('no-cache, private');
    expect(headers).not.toHaveProperty('etag');
  });

  it('is indented for people', async () => {
    const { body, json } = await get('/apis/apps', { 'user-agent': 'curl/8.0' });
    expect(body).toBe(`${JSON.stringify(json, null, 2)}\n`);
    expect((await get('/apis/apps?pretty=true')).body).toBe(body);
    expect((await get('/apis/apps')).body).toBe(`${JSON.stringify(json)}\n`);
  });
});

it('the scale of a deployment is printed with columns of its own', async () => {
  await server.kubectlOk('create deployment web --image=web --replicas=3');
  const printed = await server.kubectlOk('get deployment web --subresource=scale');
  expect(printed).toMatch(/^NAME +DESIRED +AVAILABLE +AGE\nweb +3 +0 +\S+\n$/);
});
