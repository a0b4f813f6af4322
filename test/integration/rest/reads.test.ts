import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from './test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
  for (let i = 0; i < 25; i++) {
    const name = `map-${String(i).padStart(2, '0')}`;
    const labels = { parity: i % 2 === 0 ? 'even' : 'odd' };
    const body = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, labels },
      data: { filler: 'x'.repeat(20_000) },
    };
    expect((await server.ask('POST', MAPS, { body })).code).toBe(201);
  }
});
afterAll(() => server[Symbol.asyncDispose]());

const MAPS = '/api/v1/namespaces/default/configmaps';
const TABLE =
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';
const as = (kind: string) => ({ headers: { accept: `application/json;as=${kind};v=v1;g=meta.k8s.io` } });

describe('a list', () => {
  it('comes in pages that together are the whole', async () => {
    const names: string[] = [];
    const versions = new Set<string>();
    let next = '';
    do {
      const { json } = await server.ask(
        'GET',
        `${MAPS}?limit=7&continue=${encodeURIComponent(next)}&labelSelector=parity`,
      );
      names.push(...json.items.map((item: { metadata: { name: string } }) => item.metadata.name));
      versions.add(json.metadata.resourceVersion);
      next = json.metadata.continue ?? '';
    } while (next);
    expect(names).toEqual(Array.from({ length: 25 }, (_, i) => `map-${String(i).padStart(2, '0')}`));
    expect(versions.size).toBe(1);
  });

  it('says once of which kind its items are, however it is read', async () => {
    const { json } = await server.ask('GET', `${MAPS}?limit=2&labelSelector=parity`);
    expect([json.kind, json.items.map((item: object) => Object.keys(item))]).toEqual([
      'ConfigMapList',
      [
        ['metadata', 'data'],
        ['metadata', 'data'],
      ],
    ]);
    const pretty = await server.ask('GET', `${MAPS}?limit=2&labelSelector=parity&pretty=true`);
    expect(pretty.json).toEqual(json);
    // An Event of events.k8s.io is stored in the form of the core group.
    await server.ask('POST', '/api/v1/namespaces/default/events', {
      body: { metadata: { name: 'once' }, involvedObject: { namespace: 'default' }, reason: 'Once', type: 'Normal' },
    });
    const events = await server.ask('GET', '/apis/events.k8s.io/v1/namespaces/default/events');
    expect(events.json.items.map(({ kind, reason }: Record<string, unknown>) => [kind, reason])).toEqual([
      [undefined, 'Once'],
    ]);
  });

  it('says how many remain only where no selector makes that unknown', async () => {
    const plain = await server.ask('GET', `${MAPS}?limit=5`);
    expect(plain.json.metadata.remainingItemCount).toBeGreaterThanOrEqual(20);
    const selected = await server.ask('GET', `${MAPS}?limit=5&labelSelector=parity%3Deven`);
    expect(selected.json.metadata.remainingItemCount).toBeUndefined();
    expect(selected.json.items).toHaveLength(5);
  });

  it('states its length, and is the same through gzip', async () => {
    const plain = await server.ask('GET', `${MAPS}?labelSelector=parity`);
    expect(Number(plain.headers['content-length'])).toBe(Buffer.byteLength(plain.body));
    const response = await server.open('GET', `${MAPS}?labelSelector=parity`, {
      headers: { 'accept-encoding': 'gzip' },
    });
    expect(response.headers['content-encoding']).toBe('gzip');
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    expect(JSON.parse(gunzipSync(Buffer.concat(chunks)).toString()).items).toEqual(plain.json.items);
    const small = await server.ask('GET', `${MAPS}?limit=1`, { headers: { 'accept-encoding': 'gzip' } });
    expect(small.headers['content-encoding']).toBeUndefined();
  });

  it('is a table for kubectl, with the objects beside the rows as asked', async () => {
    const { json, headers } = await server.ask('GET', `${MAPS}?limit=2&labelSelector=parity`, {
      headers: { accept: TABLE },
    });
    expect(headers['content-type']).toBe('application/json');
    expect(json).toMatchObject({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { continue: expect.any(String) },
    });
    expect(json.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual(['Name', 'Data', 'Age']);
    expect(json.columnDefinitions[0]).toMatchObject({ type: 'string', format: 'name', priority: 0 });
    expect(json.rows[0].cells).toEqual(['map-00', 1, expect.stringMatching(/^\d+s$/)]);
    expect(json.rows[0].object).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'map-00' } });
    expect(json.rows[0].object.data).toBeUndefined();
    const whole = await server.ask('GET', `${MAPS}?limit=1&includeObject=Object`, as('Table'));
    expect(whole.json.rows[0].object.kind).toBe('ConfigMap');
    const none = await server.ask('GET', `${MAPS}?limit=1&includeObject=None`, as('Table'));
    expect(none.json.rows[0].object).toBeNull();
    const wrong = await server.ask('GET', `${MAPS}?limit=1&includeObject=Some`, as('Table'));
    expect(wrong.json.message).toMatch(
      /^Unable to convert to Table as requested: includeObject: Invalid value: "Some"/,
    );
  });

  it('is metadata alone where only that is wanted', async () => {
    const { json } = await server.ask('GET', `${MAPS}?limit=1&labelSelector=parity`, as('PartialObjectMetadataList'));
    expect(json).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' });
    expect(json.items[0]).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'map-00' } });
    const wrong = await server.ask('GET', MAPS, as('PartialObjectMetadata'));
    expect([wrong.code, wrong.json.message]).toEqual([
      406,
      'you requested PartialObjectMetadata, but the requested object is a list (*v1.ConfigMapList)',
    ]);
  });

  it('can be read by people, as indented JSON or YAML', async () => {
    const pretty = await server.ask('GET', `${MAPS}?limit=1&pretty=true`);
    expect(pretty.body).toMatch(/^\{\n {2}"kind": "ConfigMapList",\n/);
    const yaml = await server.ask('GET', `${MAPS}?limit=1`, { headers: { accept: 'application/yaml' } });
    expect(yaml.body).toMatch(/^kind: ConfigMapList\napiVersion: v1\n/);
  });
});

describe('one object', () => {
  it('comes as it is, as a table of one row, as metadata', async () => {
    const plain = await server.ask('GET', `${MAPS}/map-00`);
    expect(plain.json).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'map-00' } });
    const table = await server.ask('GET', `${MAPS}/map-00`, as('Table'));
    expect(table.json.metadata).toEqual({ resourceVersion: plain.json.metadata.resourceVersion });
    expect(table.json.rows).toHaveLength(1);
    const metadata = await server.ask('GET', `${MAPS}/map-00`, as('PartialObjectMetadata'));
    expect(metadata.json).toEqual({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: plain.json.metadata,
    });
  });
});

describe('the pages beside resources', () => {
  it('describe all resources in one document to clients that know it, with an ETag', async () => {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
    const core = await server.ask('GET', '/api', { headers: { accept } });
    expect(core.headers['content-type']).toBe('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
    const [version] = core.json.items[0].versions;
    const pods = version.resources.find(({ resource }: { resource: string }) => resource === 'pods');
    expect(pods).toMatchObject({
      responseKind: { group: '', version: '', kind: 'Pod' },
      scope: 'Namespaced',
      singularResource: 'pod',
      shortNames: ['po'],
      categories: ['all'],
    });
    expect(pods.subresources.map(({ subresource }: { subresource: string }) => subresource)).toEqual([
      'binding',
      'ephemeralcontainers',
      'eviction',
      'log',
      'resize',
      'status',
    ]);
    const again = await server.ask('GET', '/api', { headers: { accept, 'if-none-match': core.headers.etag! } });
    expect([again.code, again.body]).toEqual([304, '']);
    const before = accept.replace('v=v2', 'v=v2beta1');
    expect((await server.ask('GET', '/api', { headers: { accept: before } })).json).toMatchObject({
      apiVersion: 'apidiscovery.k8s.io/v2beta1',
      items: core.json.items,
    });
    const groups = await server.ask('GET', '/apis', { headers: { accept } });
    expect(groups.json.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toContain('apps');
  });

  it('describe them piece by piece to others', async () => {
    expect((await server.ask('GET', '/api')).json).toMatchObject({ kind: 'APIVersions', versions: ['v1'] });
    expect((await server.ask('GET', '/apis')).json.groups[0].preferredVersion).toEqual({
      groupVersion: 'apps/v1',
      version: 'v1',
    });
    expect((await server.ask('GET', '/apis/apps')).json).toMatchObject({ kind: 'APIGroup', name: 'apps' });
    const { json } = await server.ask('GET', '/apis/apps/v1');
    expect(json.resources.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(['deployments', 'deployments/scale', 'deployments/status']),
    );
  });

  it('show health, one check or all', async () => {
    expect((await server.ask('GET', '/readyz?verbose')).body).toMatch(
      /\[\+\]etcd ok\n\[\+\]cache ok\n\[\+\]shutdown ok\nreadyz check passed\n$/,
    );
    expect((await server.ask('GET', '/livez')).body).toBe('ok');
    expect((await server.ask('GET', '/readyz/etcd')).body).toBe('ok');
  });

  it('count requests', async () => {
    const { body } = await server.ask('GET', '/metrics');
    expect(body).toMatch(
      /^apiserver_request_total\{verb="POST",group="",version="v1",resource="configmaps",subresource="",code="201"\} 25$/m,
    );
  });
});
