import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from './test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

const urlOf = async (path: string): Promise<string> =>
  (await server.ask('GET', '/openapi/v3')).json.paths[path].serverRelativeURL;

const ok = (args: string, input?: string) => server.kubectlOk(args, input);

describe('/openapi/v3', () => {
  it('lists a document for every version of a group, under an address that changes with its content', async () => {
    const index = await server.ask('GET', '/openapi/v3');
    expect(index.json.paths).toMatchObject({ 'api/v1': {}, 'apis/apps/v1': {} });
    expect(index.json.paths['apis/apps/v1'].serverRelativeURL).toMatch(
      /^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{128}$/,
    );
    const again = await server.ask('GET', '/openapi/v3', { headers: { 'if-none-match': index.headers.etag! } });
    expect(again.code).toBe(304);
  });

  it('lets a document be kept forever under its hash, and sends who has an old hash to the new one', async () => {
    const url = await urlOf('apis/apps/v1');
    const { code, headers, json } = await server.ask('GET', url);
    expect(code).toBe(200);
    expect(json.openapi).toBe('3.0.0');
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'public, immutable',
      etag: `"${url.split('=')[1]}"`,
      vary: 'Accept',
    });
    expect(Date.parse(headers.expires!)).toBeGreaterThan(Date.now());
    expect((await server.ask('GET', url, { headers: { 'if-none-match': headers.etag! } })).code).toBe(304);
    const old = await server.ask('GET', '/openapi/v3/apis/apps/v1?hash=0014FB');
    expect([old.code, old.headers.location]).toEqual([301, url]);
    const { headers: unhashed } = await server.ask('GET', '/openapi/v3/apis/apps/v1');
    expect(unhashed['cache-control']).toBe('no-cache, private');
  });

  it('compresses for those who can read it', async () => {
    const plain = await server.ask('GET', '/openapi/v3/api/v1');
    const response = await server.open('GET', '/openapi/v3/api/v1', { headers: { 'accept-encoding': 'gzip' } });
    expect(response.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept, Accept-Encoding' });
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    expect(gunzipSync(Buffer.concat(chunks)).toString()).toBe(plain.body);
  });

  it('comes in protobuf too, under the same hash', async () => {
    const url = await urlOf('apis/apps/v1');
    for (const mark of ['.', '@']) {
      const accept = `application/com.github.proto-openapi.spec.v3${mark}v1.0+protobuf`;
      const { code, headers, body } = await server.ask('GET', url, { headers: { accept } });
      expect(code).toBe(200);
      expect(body).toContain('io.k8s.api.apps.v1.Deployment');
      expect(headers).toMatchObject({
        'content-type': 'application/com.github.proto-openapi.spec.v3.v1.0+protobuf',
        'cache-control': 'public, immutable',
        etag: `"${url.split('=')[1]}"`,
        vary: 'Accept',
      });
    }
  });

  it('refuses what it has no form or no document for', async () => {
    const accept = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
    expect((await server.ask('GET', '/openapi/v3/api/v1', { headers: { accept } })).code).toBe(406);
    const either = await server.ask('GET', '/openapi/v3/api/v1', { headers: { accept: `${accept}, */*` } });
    expect(either.headers['content-type']).toBe('application/json');
    expect((await server.ask('GET', '/openapi/v3/apis/none/v1')).code).toBe(404);
  });
});

describe('/openapi/v2', () => {
  it('comes as JSON, or in the protobuf that client-go asks for', async () => {
    const json = await server.ask('GET', '/openapi/v2');
    expect(json.json.swagger).toBe('2.0');
    const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
    const binary = await server.ask('GET', '/openapi/v2', { headers: { accept } });
    expect(binary.headers['content-type']).toBe('application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
    expect(binary.headers.etag).toBe(json.headers.etag);
    expect((await server.ask('GET', '/openapi/v2', { headers: { accept: 'text/html' } })).code).toBe(406);
  });
});

describe('kubectl explain', () => {
  it('shows a field, its type and what is written about it', async () => {
    const text = await ok('explain pod.spec.containers.imagePullPolicy');
    expect(text).toMatch(
      /^KIND: +Pod\nVERSION: +v1\n\nFIELD: imagePullPolicy <string>\nENUM:\n {4}Always\n {4}IfNotPresent\n {4}Never\n/,
    );
    expect(text).toContain('Image pull policy. One of Always, Never, IfNotPresent.');
  });

  it('shows all fields of every kind that is served', async () => {
    const rows = (await ok('api-resources --no-headers')).trim().split('\n');
    expect(rows.length).toBeGreaterThan(10);
    for (const row of rows) {
      const [name, apiVersion] = [row.split(' ', 1)[0], / (\S+) +(?:true|false) +\S+$/.exec(row)?.[1]];
      expect(await ok(`explain ${name} --api-version=${apiVersion} --recursive`)).toMatch(/^FIELDS:$/m);
    }
    expect(await ok('explain deployments --recursive')).toMatch(
      /^ {6}rollingUpdate\t<RollingUpdateDeployment>\n {8}maxSurge\t<IntOrString>$/m,
    );
  });

  it('reads v2 too', async () => {
    expect(await ok('explain deploy.spec.replicas --output=plaintext-openapiv2')).toMatch(
      /^FIELD: +replicas <integer>$/m,
    );
  });

  it('says what does not exist', async () => {
    const { code, stderr } = await server.kubectl('explain pod.spec.nope');
    expect([code, stderr]).toEqual([1, 'error: field "nope" does not exist\n']);
  });
});

describe('kubectl apply', () => {
  it('finds all it needs in v3', async () => {
    const manifest = (data: string): string =>
      JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data: { is: data } });
    await ok('apply -f -', manifest('new'));
    const { code, stderr } = await server.kubectl('apply -f - -v=8', manifest('changed'));
    const asked = [...stderr.matchAll(/https:[^\s"]*(\/openapi\/v\d[^\s"?]*)/g)].map(([, path]) => path);
    expect([code, [...new Set(asked)]]).toEqual([0, ['/openapi/v3', '/openapi/v3/api/v1']]);
  });
});
