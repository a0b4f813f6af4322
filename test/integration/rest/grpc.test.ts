import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { KubeObject } from '@periplus/apimachinery';
import {
  apiProto,
  decodeStatusDetails,
  descriptors,
  grpcProto,
  healthService,
  reflectionService,
  resourcesService,
  STATUS_DETAILS_METADATA,
} from '@periplus/proto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from './test-server.ts';

const v1 = apiProto.api.v1;
type Command = apiProto.api.v1.Command.$Properties;
type CommandResult = apiProto.api.v1.CommandResult.$Properties;
type WatchEvent = apiProto.api.v1.WatchEvent.$Properties;

let server: TestServer;
let client: Client;
beforeAll(async () => {
  server = await TestServer.start();
  client = connect('admin');
});
afterAll(async () => {
  client.close();
  await server[Symbol.asyncDispose]();
});

const MAPS = { group: '', version: 'v1', resource: 'configmaps', namespace: 'default' };
const json = (object: object) => Buffer.from(JSON.stringify(object));
const configMap = (name: string, data: object = {}) =>
  json({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });

function connect(as: string): Client {
  const tls = credentials.createSsl(server.pem('ca.crt'), server.pem(`${as}.key`), server.pem(`${as}.crt`));
  return new Client(`localhost:${server.grpcPort}`, tls);
}

type Method = (typeof resourcesService)[keyof typeof resourcesService];

function call<Response>(
  name: Exclude<keyof typeof resourcesService, 'watch' | 'commands'>,
  request: object,
): Promise<Response> {
  const { path, requestSerialize, responseDeserialize } = resourcesService[name] as Method;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      requestSerialize as never,
      responseDeserialize as never,
      request,
      (error, response) => (error ? reject(error) : resolve(response as Response)),
    );
  });
}

const statusOf = (error: ServiceError) =>
  decodeStatusDetails(error.metadata.get(STATUS_DETAILS_METADATA)[0] as Buffer)!;

/** Sends commands over a stream of their own, and resolves with all their results by id. */
function commands(...batches: Command[][]): Promise<Map<number, CommandResult>> {
  const { path, requestSerialize, responseDeserialize } = resourcesService.commands;
  const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  const results = new Map<number, CommandResult>();
  return new Promise((resolve, reject) => {
    stream.on('data', (batch: { results: CommandResult[] }) => {
      for (const result of batch.results) results.set(Number(result.id), result);
    });
    stream.on('error', reject);
    stream.on('end', () => resolve(results));
    for (const batch of batches) stream.write(new v1.CommandBatch({ commands: batch }));
    stream.end();
  });
}

describe('the Resources service', () => {
  it('applies, conflicts and takes over, in the name of the caller or another', async () => {
    const ref = { ...MAPS, name: 'applied' };
    const apply = (data: object, more: object = {}, force = false) =>
      call<CommandResult>('patch', {
        ...{ ref, returnObject: true, ...more },
        patch: { mediaType: 'application/apply-patch+yaml', body: configMap('applied', data), force },
      });
    const made = await apply({ a: '1' });
    const { metadata } = JSON.parse(Buffer.from(made.object!).toString());
    expect(metadata.managedFields).toMatchObject([{ manager: 'kubernetes-admin', operation: 'Apply' }]);
    const refused = await apply({ a: '2' }, { fieldManager: 'other' }).catch((error: ServiceError) => error);
    expect(refused).toMatchObject({ code: status.ABORTED });
    expect(statusOf(refused as ServiceError).message).toBe(
      'Apply failed with 1 conflict: conflict with "kubernetes-admin": .data.a',
    );
    const taken = JSON.parse(
      Buffer.from((await apply({ a: '2' }, { fieldManager: 'other' }, true)).object!).toString(),
    );
    expect(taken).toMatchObject({ data: { a: '2' }, metadata: { managedFields: [{ manager: 'other' }] } });
    expect((await apply({ a: '3' }, { fieldManager: 'other', dryRun: true })).object).toBeDefined();
    const { json: stored } = await call<{ json: Uint8Array }>('get', { ref });
    expect(JSON.parse(Buffer.from(stored).toString()).data).toEqual({ a: '2' });
  });

  it('creates, reads, changes and deletes', async () => {
    const ref = { ...MAPS, name: 'one' };
    const made = await call<CommandResult>('create', { ref: MAPS, create: configMap('one') });
    expect(Number(made.resourceVersion)).toBeGreaterThan(0);
    const got = await call<{ json: Uint8Array }>('get', { ref });
    expect(JSON.parse(Buffer.from(got.json).toString())).toMatchObject({
      kind: 'ConfigMap',
      metadata: { name: 'one' },
    });
    const patch = { mediaType: 'application/merge-patch+json', body: json({ data: { a: 'b' } }) };
    const patched = await call<CommandResult>('patch', { ref, patch, returnObject: true });
    expect(JSON.parse(Buffer.from(patched.object!).toString()).data).toEqual({ a: 'b' });
    const listed = await call<{ items: unknown[]; resourceVersion: string }>('list', {
      ref: MAPS,
      fieldSelector: 'metadata.name=one',
    });
    expect(listed.items).toHaveLength(1);
    const gone = await call<CommandResult>('delete', { ref, delete: {} });
    expect(Number(gone.resourceVersion)).toBeGreaterThan(Number(patched.resourceVersion));
  });

  it('refuses with a gRPC code and the Kubernetes Status', async () => {
    const error = await call('get', { ref: { ...MAPS, name: 'none' } }).catch((reason: ServiceError) => reason);
    expect(error).toMatchObject({ code: status.NOT_FOUND, details: 'configmaps "none" not found' });
    expect(statusOf(error as ServiceError)).toEqual({
      ...{ status: 'Failure', reason: 'NotFound', code: 404, message: 'configmaps "none" not found' },
      details: { name: 'none', kind: 'configmaps' },
    });
    const two = await call('create', { ref: MAPS, create: configMap('x'), delete: {} }).catch((e: ServiceError) => e);
    expect(two).toMatchObject({ code: status.INVALID_ARGUMENT });
    const unknown = await call('list', { ref: { ...MAPS, resource: 'widgets' } }).catch((e: ServiceError) => e);
    expect(unknown).toMatchObject({ code: status.NOT_FOUND });
  });

  it('knows its callers by their certificates, and lets them do what they may', async () => {
    const scheduler = connect('scheduler');
    const { path, requestSerialize, responseDeserialize } = resourcesService.create;
    const error = await new Promise<ServiceError | null>((resolve) => {
      const command = { ref: MAPS, create: configMap('no') };
      scheduler.makeUnaryRequest(path, requestSerialize as never, responseDeserialize, command, resolve);
    });
    expect(error).toMatchObject({ code: status.PERMISSION_DENIED });
    expect(error?.details).toContain('User "system:kube-scheduler" cannot create resource "configmaps"');
    scheduler.close();
    const stranger = connect('etcd/root');
    const refused = await new Promise<ServiceError | null>((resolve) => {
      stranger.makeUnaryRequest(path, requestSerialize as never, responseDeserialize, { ref: MAPS }, resolve);
    });
    expect(refused).toMatchObject({ code: status.UNAVAILABLE });
    stranger.close();
  });

  it('streams what happens', async () => {
    const { resourceVersion } = await call<{ resourceVersion: string }>('list', { ref: MAPS });
    const { path, requestSerialize, responseDeserialize } = resourcesService.watch;
    const request = new v1.WatchRequest({ ref: MAPS, resourceVersion });
    const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
    const seen: string[] = [];
    const both = new Promise<void>((resolve) => {
      stream.on('data', ({ type, object }: WatchEvent) => {
        seen.push(`${type} ${JSON.parse(Buffer.from(object!.json!).toString()).metadata.name}`);
        if (seen.length === 2) resolve();
      });
    });
    stream.on('error', () => undefined);
    await call('create', { ref: MAPS, create: configMap('seen') });
    await call('delete', { ref: { ...MAPS, name: 'seen' }, delete: {} });
    await both;
    stream.cancel();
    expect(seen).toEqual(['ADDED seen', 'DELETED seen']);
  });

  it('ends a watch from a version that is gone with an error that says so', async () => {
    const { path, requestSerialize, responseDeserialize } = resourcesService.watch;
    const request = new v1.WatchRequest({ ref: MAPS, resourceVersion: '1' });
    const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
    const error = await new Promise<ServiceError>((resolve) =>
      stream.on('error', (e) => resolve(e as ServiceError)).resume(),
    );
    expect(error.code).toBe(status.OUT_OF_RANGE);
    expect(statusOf(error).reason).toBe('Expired');
  });

  it('carries out the commands of a stream, each with its own result', async () => {
    const creates = Array.from({ length: 100 }, (_, i) => ({ id: i + 1, ref: MAPS, create: configMap(`many-${i}`) }));
    const results = await commands(creates, [
      { id: 501, ref: MAPS, create: json({ apiVersion: 'v1', kind: 'ConfigMap', metadata: {} }) },
      { id: 502, ref: { ...MAPS, name: 'none' }, delete: {} },
      { id: 503, ref: MAPS, create: configMap('strict'), dryRun: true, returnObject: true },
    ]);
    expect(results.size).toBe(103);
    for (let id = 1; id <= 100; id++) expect(results.get(id)?.status?.length ?? 0).toBe(0);
    const refused = (id: number) => JSON.parse(Buffer.from(results.get(id)!.status!).toString());
    expect(refused(501)).toMatchObject({ reason: 'Invalid' });
    expect(refused(502)).toMatchObject({ reason: 'NotFound', message: 'configmaps "none" not found' });
    expect(JSON.parse(Buffer.from(results.get(503)!.object!).toString()).metadata.name).toBe('strict');
  });

  it('keeps the preconditions of commands', async () => {
    const { resourceVersion } = await call<CommandResult>('create', { ref: MAPS, create: configMap('guarded') });
    const ref = { ...MAPS, name: 'guarded' };
    const update = { ref, update: configMap('guarded', { a: '1' }) };
    const results = await commands([{ id: 1, ...update, ifResourceVersion: '4096' }]);
    expect(JSON.parse(Buffer.from(results.get(1)!.status!).toString()).reason).toBe('Conflict');
    const again = await commands([{ id: 1, ...update, ifResourceVersion: resourceVersion }]);
    expect(again.get(1)!.status?.length ?? 0).toBe(0);
    const uid = await commands([{ id: 1, ref, delete: {}, ifUid: 'another' }]);
    expect(JSON.parse(Buffer.from(uid.get(1)!.status!).toString())).toMatchObject({ reason: 'Conflict' });
  });
});

/** The events of a watch, as `TYPE name`, until `count` came. */
async function watched(request: object, count: number): Promise<{ seen: string[]; last: KubeObject }> {
  const { path, requestSerialize, responseDeserialize } = resourcesService.watch;
  const stream = client.makeServerStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    new v1.WatchRequest(request),
  );
  const seen: string[] = [];
  let last: KubeObject | undefined;
  try {
    for await (const { type, object } of stream as AsyncIterable<WatchEvent>) {
      last = JSON.parse(Buffer.from(object!.json!).toString()) as KubeObject;
      seen.push(`${type} ${last.metadata.name ?? ''}`.trim());
      if (seen.length === count) break;
    }
  } finally {
    stream.on('error', () => undefined).cancel();
  }
  return { seen, last: last! };
}

describe('what REST has', () => {
  const ref = { ...MAPS, namespace: 'kube-public' };
  const labelled = (name: string, color: string) =>
    json({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { color } } });

  it('reads in pages, by labels and by fields', async () => {
    for (const name of ['r1', 'r2', 'r3']) await call('create', { ref, create: labelled(name, 'red') });
    await call('create', { ref, create: labelled('b1', 'blue') });
    interface Page {
      items: { json: Uint8Array }[];
      continue: string;
      remainingItemCount: number;
      resourceVersion: string;
    }
    const page = (more: object) => call<Page>('list', { ref, labelSelector: 'color=red', limit: 2, ...more });
    const first = await page({});
    const second = await page({ continue: first.continue });
    expect([first.items.length, second.items.length, second.continue]).toEqual([2, 1, '']);
    expect(second.resourceVersion).toBe(first.resourceVersion);
    const but = await page({ limit: 0, fieldSelector: 'metadata.name!=r2' });
    expect(but.items).toHaveLength(2);
    const exact = await page({ limit: 0, resourceVersion: first.resourceVersion, resourceVersionMatch: 'Exact' });
    expect(exact).toMatchObject({ resourceVersion: first.resourceVersion, items: { length: 3 } });
  });

  it('watches what a selector chooses, with what there is first and a bookmark behind it', async () => {
    const request = { ref, labelSelector: 'color=red', sendInitialEvents: true, allowBookmarks: true };
    const { seen, last } = await watched(request, 4);
    expect(seen).toEqual(['ADDED r1', 'ADDED r2', 'ADDED r3', 'BOOKMARK']);
    expect(last.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
    const { resourceVersion } = last.metadata;
    const repaint = {
      mediaType: 'application/merge-patch+json',
      body: json({ metadata: { labels: { color: 'red' } } }),
    };
    await call('patch', { ref: { ...ref, name: 'b1' }, patch: repaint });
    const since = await watched({ ref, labelSelector: 'color=red', resourceVersion }, 1);
    expect(since.seen).toEqual(['ADDED b1']);
  });

  it('applies with an owner, refuses conflicts, and forces', async () => {
    const apply = (data: object, more: object = {}, force = false) =>
      call<CommandResult>('patch', {
        ...{ ref: { ...ref, name: 'applied' }, returnObject: true, ...more },
        patch: {
          ...{ mediaType: 'application/apply-patch+yaml', force },
          body: json({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data }),
        },
      });
    await apply({ a: '1' }, { fieldManager: 'one' });
    const error = (await apply({ a: '2' }, { fieldManager: 'two' }).catch((e) => e)) as ServiceError;
    expect(error).toMatchObject({ code: status.ABORTED });
    expect(statusOf(error).details?.causes).toMatchObject([{ reason: 'FieldManagerConflict', field: '.data.a' }]);
    const dry = await apply({ a: '2' }, { fieldManager: 'two', dryRun: true }, true);
    const forced = await apply({ a: '3' }, { fieldManager: 'two' }, true);
    const dataOf = ({ object }: CommandResult) => JSON.parse(Buffer.from(object!).toString()).data;
    expect([dataOf(dry), dataOf(forced)]).toEqual([{ a: '2' }, { a: '3' }]);
  });

  it('deletes what a selector chooses', async () => {
    const request = { ref, labelSelector: 'color=red', delete: { propagationPolicy: 'Background' } };
    const dry = await call<{ items: unknown[] }>('deleteCollection', { ...request, dryRun: true });
    const gone = await call<{ items: unknown[] }>('deleteCollection', request);
    expect([dry.items.length, gone.items.length]).toEqual([4, 4]);
    const left = await call<{ items: unknown[] }>('list', { ref, labelSelector: 'color' });
    expect(left.items).toHaveLength(0);
  });
});

describe('objects applied together', () => {
  const shop = () => [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'together', namespace: 'shop' }, data: { a: '1' } },
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
  ];

  it('are one change, named by what they say they are', async () => {
    const first = { objects: shop().map(json), dryRun: true, returnObjects: true };
    const dry = await call<{ objects: { json: Uint8Array }[] }>('applyAll', first);
    expect(JSON.parse(Buffer.from(dry.objects[0]!.json).toString())).toMatchObject({ data: { a: '1' } });
    const applied = await call<{ objects: { resourceVersion: string }[] }>('applyAll', { objects: shop().map(json) });
    const revisions = applied.objects.map(({ resourceVersion }) => Math.floor(Number(resourceVersion) / 4_096));
    expect(revisions[0]).toBe(revisions[1]);
    const unnamed = { objects: [json({ ...shop()[0], metadata: { name: 'placed' } })], namespace: 'shop' };
    await call('applyAll', unnamed);
    await call('get', { ref: { ...MAPS, namespace: 'shop', name: 'placed' } });
  });

  it('are refused with the one that was in the way', async () => {
    const refused = (objects: object[], more: object = {}) =>
      call('applyAll', { objects: objects.map(json), ...more }).catch(
        (reason: ServiceError) => reason,
      ) as Promise<ServiceError>;
    const conflict = await refused([{ ...shop()[0], data: { a: '2' } }], { fieldManager: 'other' });
    expect(conflict).toMatchObject({ code: status.ABORTED });
    expect(statusOf(conflict)).toMatchObject({
      reason: 'Conflict',
      details: { causes: [{ field: 'objects[0].data.a' }] },
    });
    const unknown = await refused([shop()[1]!, { apiVersion: 'x/v1', kind: 'Widget', metadata: { name: 'w' } }]);
    expect(unknown).toMatchObject({
      code: status.NOT_FOUND,
      details: 'objects[1]: no matches for kind "Widget" in version "x/v1"',
    });
    for (const wrong of [{ ...shop()[0], metadata: {} }, [], { kind: 1 }]) {
      expect([status.INVALID_ARGUMENT, status.NOT_FOUND]).toContain((await refused([wrong])).code);
    }
  });
});

describe('what generic clients need', () => {
  it('says that it serves', async () => {
    const { path, requestSerialize, responseDeserialize } = healthService.check;
    const response = await new Promise((resolve, reject) => {
      const request = new grpcProto.health.v1.HealthCheckRequest({ service: 'periplus.api.v1.Resources' });
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, new Metadata(), (error, answer) =>
        error ? reject(error) : resolve(answer),
      );
    });
    expect(response).toMatchObject({ status: grpcProto.health.v1.HealthCheckResponse.ServingStatus.SERVING });
  });

  it('takes no name that could not be part of an address', async () => {
    const object = json({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: '/a/../b' } });
    const refused = { code: status.INVALID_ARGUMENT };
    await expect(call('applyAll', { objects: [object] })).rejects.toMatchObject(refused);
    await expect(call('get', { ref: { ...MAPS, name: 'a/b' } })).rejects.toMatchObject(refused);
    await expect(call('get', { ref: { ...MAPS, namespace: 'a/b', name: 'a' } })).rejects.toMatchObject(refused);
  });

  it('goes on when it is sent half a character, which no status can say again', async () => {
    const request = { objects: [json({ apiVersion: 'v1', kind: '\ud800', metadata: { name: 'a' } })] };
    await expect(call('applyAll', request)).rejects.toMatchObject({
      code: status.NOT_FOUND,
      details: 'objects[0]: no matches for kind "\ufffd" in version "v1"',
    });
    expect((await server.ask('GET', '/readyz')).code).toBe(200);
  });

  it('describes itself', async () => {
    const { path, requestSerialize, responseDeserialize } = reflectionService.serverReflectionInfo;
    const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    const { ServerReflectionRequest } = grpcProto.reflection.v1;
    stream.write(new ServerReflectionRequest({ listServices: '' }));
    stream.write(new ServerReflectionRequest({ fileContainingSymbol: 'periplus.api.v1.Resources' }));
    stream.end();
    const answers: grpcProto.reflection.v1.ServerReflectionResponse.$Properties[] = [];
    for await (const answer of stream) answers.push(answer);
    expect(answers[0]?.listServicesResponse?.service?.map(({ name }) => name)).toContain('periplus.api.v1.Resources');
    const [file] = answers[1]?.fileDescriptorResponse?.fileDescriptorProto ?? [];
    expect(Buffer.from(file!).toString('base64')).toBe(descriptors['periplus/api/v1/resources.proto']!.descriptor);
  });
});
