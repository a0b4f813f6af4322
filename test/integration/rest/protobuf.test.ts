import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeProtobuf } from '../../../libs/rest/src/protobuf/decode.ts';
import { encodeObject } from '../../../libs/rest/src/protobuf/encode.ts';
import { WireReader } from '../../../libs/rest/src/protobuf/wire-reader.ts';
import { TestServer } from './test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

const MAPS = '/api/v1/namespaces/default/configmaps';
const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const METADATA = `${PROTOBUF};as=PartialObjectMetadata;g=meta.k8s.io;v=v1`;

async function bytesOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

interface Protobuf {
  code: number;
  type?: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  object: any;
  bytes: Buffer;
}

/** Everything that is sent and answered is protobuf. */
async function ask(method: string, path: string, object?: object, accept = PROTOBUF): Promise<Protobuf> {
  const sent = object && { body: encodeObject(object), headers: { 'content-type': PROTOBUF } };
  const response = await server.open(method, path, { ...sent, headers: { accept, ...sent?.headers } });
  const bytes = await bytesOf(response);
  const type = response.headers['content-type'];
  const isList = type === PROTOBUF && method === 'GET' && !/\/configmaps\/./.test(path) && response.statusCode === 200;
  const decoded = type !== PROTOBUF ? JSON.parse(bytes.toString()) : isList ? listOf(bytes) : decodeProtobuf(bytes);
  return { code: response.statusCode!, ...(type && { type }), object: decoded, bytes };
}

/** A list's kind, and its items as objects. */
function listOf(bytes: Buffer): { kind: string; names: string[] } {
  const envelope = new WireReader(bytes, 4);
  envelope.next();
  const type = envelope.message();
  const kinds: string[] = [];
  while (type.next()) kinds[type.field] = type.string();
  envelope.next();
  const list = envelope.message();
  const names: string[] = [];
  while (list.next()) {
    if (list.field !== 2) list.skip();
    else names.push(nameOf(list.message()));
  }
  return { kind: kinds[2]!, names };
}

/** metadata.name: the first field of the first field. */
function nameOf(item: WireReader): string {
  item.next();
  const metadata = item.message();
  metadata.next();
  return metadata.string();
}

const configMap = (name: string, data: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

describe('protobuf', () => {
  it('is taken and answered for every verb, and errors are a Status', async () => {
    const made = await ask('POST', MAPS, configMap('one', { a: 'b' }));
    expect([made.code, made.type]).toEqual([201, PROTOBUF]);
    expect(made.object).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1', data: { a: 'b' } });
    const json = (await server.ask('GET', `${MAPS}/one`)).json;
    expect((await ask('GET', `${MAPS}/one`)).object).toEqual(json);
    const put = await ask('PUT', `${MAPS}/one`, { ...configMap('one', { a: 'c' }), metadata: made.object.metadata });
    expect(put.object.data).toEqual({ a: 'c' });
    const stale = await ask('PUT', `${MAPS}/one`, { ...configMap('one'), metadata: made.object.metadata });
    expect([stale.code, stale.type]).toEqual([409, PROTOBUF]);
    expect(stale.object).toMatchObject({ kind: 'Status', apiVersion: 'v1', reason: 'Conflict', code: 409 });
    const none = await ask('GET', `${MAPS}/none`);
    expect(none.object).toMatchObject({ kind: 'Status', details: { name: 'none', kind: 'configmaps' }, code: 404 });
    const gone = await ask('DELETE', `${MAPS}/one`, { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0 });
    expect(gone.object).toMatchObject({ kind: 'Status', status: 'Success' });
  });

  it('lists, also metadata alone, and through gzip', async () => {
    for (const name of ['l1', 'l2']) await ask('POST', MAPS, configMap(name, { filler: 'x'.repeat(100_000) }));
    const names = ['l1', 'l2'];
    const selector = 'fieldSelector=metadata.name!%3Dkube-root-ca.crt';
    expect((await ask('GET', `${MAPS}?${selector}`)).object).toEqual({ kind: 'ConfigMapList', names });
    const partial = await ask('GET', `${MAPS}?${selector}`, undefined, METADATA.replace('Metadata;', 'MetadataList;'));
    expect(partial.object).toEqual({ kind: 'PartialObjectMetadataList', names });
    expect(partial.bytes.length).toBeLessThan(1_000);
    const one = await ask('GET', `${MAPS}/l1`, undefined, METADATA);
    expect(one.object).toMatchObject({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { name: 'l1' },
    });
    const zipped = await server.open('GET', MAPS, { headers: { accept: PROTOBUF, 'accept-encoding': 'gzip' } });
    expect([zipped.headers['content-encoding'], zipped.headers.vary]).toEqual(['gzip', 'Accept-Encoding']);
    zipped.destroy();
    // A Table has no such form: the next best is taken.
    const table = 'as=Table;g=meta.k8s.io;v=v1';
    const shown = await ask('GET', MAPS, undefined, `${PROTOBUF};${table},application/json;${table}`);
    expect(shown.object.kind).toBe('Table');
  });

  it('streams events, each behind its length, and an error as the last', async () => {
    const { resourceVersion } = (await server.ask('GET', MAPS)).json.metadata;
    await ask('POST', MAPS, configMap('w'));
    await ask('DELETE', `${MAPS}/w`);
    const watch = (version: string, accept: string) =>
      server.open('GET', `${MAPS}?watch=1&timeoutSeconds=1&resourceVersion=${version}`, { headers: { accept } });
    const response = await watch(resourceVersion, PROTOBUF);
    expect(response.headers['content-type']).toBe(`${PROTOBUF};stream=watch`);
    const events = eventsOf(await bytesOf(response));
    expect(events.map(({ type, object }) => [type, object.kind, object.metadata.name])).toEqual([
      ['ADDED', 'ConfigMap', 'w'],
      ['DELETED', 'ConfigMap', 'w'],
    ]);
    const partial = eventsOf(await bytesOf(await watch(resourceVersion, METADATA)));
    expect(partial.map(({ type, object }) => [type, object.kind])).toEqual([
      ['ADDED', 'PartialObjectMetadata'],
      ['DELETED', 'PartialObjectMetadata'],
    ]);
    const old = eventsOf(await bytesOf(await watch('1', PROTOBUF)));
    expect(old[0]).toMatchObject({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } });
  });
});

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
function eventsOf(bytes: Buffer): { type: string; object: any }[] {
  const events: { type: string; object: unknown }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const event = new WireReader(bytes, at + 4, at + 4 + length);
    event.next();
    const type = event.string();
    event.next();
    const raw = event.message();
    raw.next();
    events.push({ type, object: decodeProtobuf(Buffer.from(raw.slice())) });
    at += 4 + length;
  }
  return events;
}
