import { Metadata, Server, ServerCredentials, type ServerDuplexStream, type ServiceError, status } from '@grpc/grpc-js';
import { configMap } from '@periplus/api';
import { notFound } from '@periplus/apimachinery';
import { type Command, type ConnectionOptions, openCommandClient, openResourceClient } from '@periplus/client';
import { createAuthority, issueCertificate, type KeyPair } from '@periplus/pki';
import { type apiProto, encodeStatusDetails, resourcesService, STATUS_DETAILS_METADATA } from '@periplus/proto';
import { eventually, freePorts } from '@periplus/testing';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';

type Batch = apiProto.api.v1.CommandBatch.$Properties;
type Results = apiProto.api.v1.CommandResultBatch.$Properties;

/** The other end of the wire, which does what a test says. */
interface Peer {
  target: string;
  batches: Batch[];
  streams: ServerDuplexStream<Batch, Results>[];
  answers: boolean;
  /** As if the process had been killed. */
  kill(): void;
}

let authority: KeyPair;
let tls: ConnectionOptions['tls'];
let serverPair: KeyPair;
const cleanUps: (() => unknown)[] = [];

beforeAll(async () => {
  authority = await createAuthority('test');
  serverPair = await issueCertificate(authority, {
    commonName: 'api-server',
    usages: ['server'],
    hosts: ['127.0.0.1'],
  });
  const client = await issueCertificate(authority, {
    commonName: 'system:kube-controller-manager',
    usages: ['client'],
  });
  tls = { ca: Buffer.from(authority.cert), cert: Buffer.from(client.cert), key: Buffer.from(client.key) };
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const failure = (error: ReturnType<typeof notFound>): ServiceError => {
  const metadata = new Metadata();
  metadata.set(STATUS_DETAILS_METADATA, encodeStatusDetails(status.NOT_FOUND, error.message, error.toStatus()));
  return Object.assign(new Error(error.message), { code: status.NOT_FOUND, details: error.message, metadata });
};
const item = (name: string) => ({
  json: Buffer.from(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })),
});

async function startPeer(port?: number): Promise<Peer> {
  const [free] = port ? [port] : await freePorts(1);
  const peer: Peer = {
    target: `127.0.0.1:${free}`,
    batches: [],
    streams: [],
    answers: true,
    kill: () => server.forceShutdown(),
  };
  const server = new Server();
  server.addService(resourcesService, {
    commands(stream: ServerDuplexStream<Batch, Results>) {
      peer.streams.push(stream);
      stream.on('error', () => undefined);
      stream.on('data', (batch: Batch) => {
        peer.batches.push(batch);
        const results = (batch.commands ?? []).map(({ id }) => ({ id, resourceVersion: String(Number(id) * 4_096) }));
        if (peer.answers) stream.write({ results });
      });
      stream.on('end', () => stream.end());
    },
    get: (call: { request: { ref: { name: string } } }, done: (error: ServiceError | null, value?: unknown) => void) =>
      call.request.ref.name === 'there'
        ? done(null, item('there'))
        : done(failure(notFound({ group: '', resource: 'configmaps' }, call.request.ref.name))),
    list: (_call: unknown, done: (error: null, value: unknown) => void) =>
      done(null, { items: [item('a'), item('b')], resourceVersion: '8191', continue: 'more' }),
    create: (call: { request: { create: Uint8Array } }, done: (error: null, value: unknown) => void) =>
      done(null, { id: 1, object: call.request.create, resourceVersion: '4096' }),
    watch(stream: { write(event: unknown): void; end(): void }) {
      stream.write({ type: 'ADDED', object: item('a') });
      stream.write({
        type: 'ERROR',
        object: { json: Buffer.from(JSON.stringify({ reason: 'Expired', message: 'too old resource version' })) },
      });
      stream.end();
    },
  } as never);
  const pairs = [{ cert_chain: Buffer.from(serverPair.cert), private_key: Buffer.from(serverPair.key) }];
  const secure = ServerCredentials.createSsl(Buffer.from(authority.cert), pairs, true);
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(peer.target, secure, (error) => (error ? reject(error) : resolve())),
  );
  cleanUps.push(() => server.forceShutdown());
  return peer;
}

const open = (...targets: string[]) => {
  const client = openCommandClient({ targets, tls });
  cleanUps.push(() => client.close());
  return client;
};
const create = (name: string): Command => ({
  verb: 'create',
  kind: configMap,
  namespace: 'd',
  name,
  object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'd' } },
});

describe('the command client', () => {
  it('sends commands over TLS with its certificate, many to a message', async () => {
    const peer = await startPeer();
    const client = open(peer.target);
    const outcomes = await Promise.all(Array.from({ length: 300 }, (_, i) => client.send(create(`c${i}`), null)));
    expect(outcomes[299]).toEqual({ resourceVersion: String(300 * 4_096), revision: 300 });
    expect(peer.batches.map(({ commands }) => commands?.length)).toEqual([128, 128, 44]);
    expect(peer.batches[0]!.commands![0]).toMatchObject({
      ref: { group: '', version: 'v1', resource: 'configmaps', namespace: 'd', name: 'c0' },
    });
  });

  it('says that it does not know when the api-server dies with a command, and goes on with the next one', async () => {
    const [first, second] = [await startPeer(), await startPeer()];
    first.answers = false;
    const client = open(first.target, second.target);
    const lost = client.send(create('a'), null).catch((error: unknown) => error);
    await eventually(() => expect(first.batches).toHaveLength(1));
    first.kill();
    expect(await lost).toMatchObject({ name: 'OutcomeUnknownError', reason: 'ServiceUnavailable' });
    await client.send(create('b'), null);
    expect(second.batches[0]!.commands![0]!.ref!.name).toBe('b');
  });

  it('waits for an api-server that is not there yet, and for one that comes back', async () => {
    const [port] = await freePorts(1);
    const client = open(`127.0.0.1:${port}`);
    const early = client.send(create('early'), null);
    const peer = await startPeer(port);
    await early;
    peer.kill();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const again = await startPeer(port);
    await client.send(create('late'), null).catch(() => client.send(create('late'), null));
    expect(again.batches.flatMap(({ commands }) => commands ?? []).map(({ ref }) => ref?.name)).toEqual(['late']);
  });

  it('trusts no api-server that shows a certificate of another address', async () => {
    const [port] = await freePorts(1);
    const elsewhere = await issueCertificate(authority, {
      commonName: 'x',
      usages: ['server'],
      hosts: ['10.0.0.1', 'api-server'],
    });
    const right = serverPair;
    serverPair = elsewhere;
    const peer = await startPeer(port).finally(() => {
      serverPair = right;
    });
    const resources = openResourceClient({ targets: [peer.target], tls });
    cleanUps.push(() => resources.close());
    const refused = resources.get(configMap, 'd', 'there', AbortSignal.timeout(500));
    await expect(refused).rejects.toMatchObject({ name: 'StatusError' });
  });

  it('is refused without a certificate of the authority', async () => {
    const peer = await startPeer();
    const stranger = await issueCertificate(await createAuthority('other'), { commonName: 'x', usages: ['client'] });
    const resources = openResourceClient({
      targets: [peer.target],
      tls: { ca: Buffer.from(authority.cert), cert: Buffer.from(stranger.cert), key: Buffer.from(stranger.key) },
    });
    cleanUps.push(() => resources.close());
    const signal = AbortSignal.timeout(500);
    await expect(resources.get(configMap, 'd', 'there', signal)).rejects.toMatchObject({ name: 'StatusError' });
    expect(peer.batches).toEqual([]);
  });
});

describe('the resource client', () => {
  it('gets, lists, creates and watches, and rejects with the Status that the api-server sent', async () => {
    const peer = await startPeer();
    const client = openResourceClient({ targets: [peer.target], tls });
    cleanUps.push(() => client.close());
    expect(await client.get(configMap, 'd', 'there')).toMatchObject({ metadata: { name: 'there' } });
    await expect(client.get(configMap, 'd', 'missing')).rejects.toMatchObject({
      reason: 'NotFound',
      message: 'configmaps "missing" not found',
    });
    expect(await client.list(configMap, 'd')).toMatchObject({
      items: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }],
      resourceVersion: '8191',
      continue: 'more',
    });
    expect(await client.execute(create('new'))).toMatchObject({ metadata: { name: 'new' } });
    const seen: unknown[] = [];
    const watching = (async () => {
      for await (const event of client.watch(configMap, 'd')) seen.push(event);
    })();
    await expect(watching).rejects.toMatchObject({ reason: 'Expired', message: 'too old resource version' });
    expect(seen).toMatchObject([{ type: 'ADDED', object: { metadata: { name: 'a' } } }]);
  });
});
