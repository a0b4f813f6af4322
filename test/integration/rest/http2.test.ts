import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import { createInterface } from 'node:readline';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from './test-server.ts';

let server: TestServer;
let session: ClientHttp2Session;
beforeAll(async () => {
  server = await TestServer.start();
  session = open('admin');
});
afterAll(async () => {
  session.destroy();
  await server[Symbol.asyncDispose]();
});

const MAPS = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string, data: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

function open(as: string): ClientHttp2Session {
  const pair = as === '' ? {} : { cert: server.pem(`${as}.crt`), key: server.pem(`${as}.key`) };
  const opened = connect(`https://127.0.0.1:${server.port}`, { ca: server.pem('ca.crt'), ...pair });
  opened.on('error', () => undefined);
  return opened;
}

interface Answer {
  code: number;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  json: any;
}

const send = (over: ClientHttp2Session, method: string, path: string, headers: object = {}): ClientHttp2Stream =>
  over.request({ ':method': method, ':path': path, ...headers });

const headersOf = (stream: ClientHttp2Stream): Promise<IncomingHttpHeaders> =>
  new Promise((resolve, reject) => stream.on('response', resolve).on('error', reject));

async function ask(method: string, path: string, body?: object, headers: object = {}, over = session): Promise<Answer> {
  const stream = send(over, method, path, { ...(body && { 'content-type': 'application/json' }), ...headers });
  stream.end(body && JSON.stringify(body));
  const answered = await headersOf(stream);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  const isJson = answered['content-type']?.startsWith('application/json') && !answered['content-encoding'];
  return {
    code: Number(answered[':status']),
    headers: answered,
    bytes,
    json: isJson ? JSON.parse(bytes.toString()) : null,
  };
}

const [DATA, HEADERS, RST_STREAM, SETTINGS] = [0, 1, 3, 4];
const [END_STREAM, END_HEADERS] = [1, 4];

/** A client that sends what no library lets one send. https://www.rfc-editor.org/rfc/rfc9113 */
class Frames {
  readonly socket: TLSSocket;
  readonly opened: Promise<unknown>;
  /** Headers came back. */
  readonly answered: Promise<unknown>;

  constructor() {
    const pair = { cert: server.pem('admin.crt'), key: server.pem('admin.key') };
    const options = { host: '127.0.0.1', port: server.port, ca: server.pem('ca.crt'), ALPNProtocols: ['h2'], ...pair };
    this.socket = connectTls(options);
    this.socket.on('error', () => undefined);
    this.opened = once(this.socket, 'secureConnect').then(() => {
      this.socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
      this.send(SETTINGS, 0, 0, Buffer.alloc(0));
    });
    this.answered = new Promise((resolve) => {
      let received = Buffer.alloc(0);
      this.socket.on('data', (bytes: Buffer) => {
        received = Buffer.concat([received, bytes]);
        for (; received.length >= 9; received = received.subarray(9 + received.readUIntBE(0, 3))) {
          if (received.length < 9 + received.readUIntBE(0, 3)) return;
          if (received[3] === HEADERS) resolve(undefined);
        }
      });
    });
  }

  send(type: number, flags: number, stream: number, payload: Buffer): void {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(stream, 5);
    this.socket.write(Buffer.concat([head, payload]));
  }

  /** As literals that are not remembered, the simplest form of a header. */
  headers(stream: number, headers: Record<string, string>, { ends } = { ends: true }): void {
    const text = (part: string) => [Buffer.from([part.length]), Buffer.from(part)];
    const all = { ':scheme': 'https', ':authority': 'localhost', ...headers };
    const block = Object.entries(all).flatMap(([name, value]) => [Buffer.from([0]), ...text(name), ...text(value)]);
    this.send(HEADERS, END_HEADERS | (ends ? END_STREAM : 0), stream, Buffer.concat(block));
  }

  reset(stream: number): void {
    const code = Buffer.alloc(4);
    code.writeUInt32BE(constants.NGHTTP2_CANCEL);
    this.send(RST_STREAM, 0, stream, code);
  }
}

describe('HTTP/2', () => {
  it('writes, reads, lists and refuses as HTTP/1.1 does', async () => {
    const made = await ask('POST', MAPS, configMap('one', { filler: 'x'.repeat(400_000) }));
    expect(made.code).toBe(201);
    const old = await server.ask('GET', `${MAPS}/one`);
    const read = await ask('GET', `${MAPS}/one`);
    expect(read.json).toEqual(old.json);
    const names = (headers: object) =>
      Object.keys(headers).filter((name) => !/^(:|date|connection|keep-alive)/.test(name));
    expect(names(read.headers).sort()).toEqual(names(old.headers).sort());
    const list = await ask('GET', MAPS, undefined, { 'accept-encoding': 'gzip' });
    expect(
      JSON.parse(gunzipSync(list.bytes).toString()).items.map(({ metadata }: typeof made.json) => metadata.name),
    ).toContain('one');
    expect((await ask('GET', `${MAPS}/none`)).json).toMatchObject({ kind: 'Status', code: 404 });
    expect((await ask('DELETE', `${MAPS}/one`)).json.status).toBe('Success');
    expect((await ask('GET', '/version')).json.major).toBe('1');
    const called = await ask('GET', '/version', undefined, { 'audit-id': ['mine', 'other'] });
    expect(called.headers['audit-id']).toBe('mine');
    expect((await ask('GET', '/apis')).json.kind).toBe('APIGroupList');
    expect((await ask('GET', '/nothing')).code).toBe(404);
    expect((await ask('HEAD', '/livez')).code).toBe(200);
  });

  it('knows who asks by the certificate of the connection', async () => {
    const stranger = open('');
    expect((await ask('GET', MAPS, undefined, {}, stranger)).json).toMatchObject({
      code: 403,
      message: expect.stringContaining('User "system:anonymous" cannot list resource "configmaps"'),
    });
    expect((await ask('GET', MAPS, undefined, { authorization: 'Bearer x' }, stranger)).code).toBe(401);
    stranger.destroy();
    const me = await ask('GET', MAPS, undefined, { 'impersonate-user': 'nobody' });
    expect(me.json.message).toContain('User "nobody" cannot list');
  });

  it('has many watches on one connection, each of which gets everything', async () => {
    const version = (await ask('GET', MAPS)).json.metadata.resourceVersion;
    const watches = Array.from({ length: 50 }, () =>
      send(session, 'GET', `${MAPS}?watch=1&resourceVersion=${version}`),
    );
    await Promise.all(watches.map(headersOf));
    for (const name of ['w1', 'w2']) await ask('POST', MAPS, configMap(name, { filler: 'y'.repeat(100_000) }));
    for (const watch of watches) {
      const lines = createInterface({ input: watch })[Symbol.asyncIterator]();
      const seen: string[] = [];
      while (seen.length < 2) seen.push(JSON.parse((await lines.next()).value ?? '').object.metadata.name);
      expect(seen).toEqual(['w1', 'w2']);
      watch.close();
    }
  });

  it('stops receiving a body that is too large, and serves the next request on the same connection', async () => {
    const stream = send(session, 'POST', MAPS, { 'content-type': 'application/json' });
    stream.on('error', () => undefined);
    const answered = headersOf(stream);
    stream.write(Buffer.alloc(4 * 1024 * 1024, 0x20));
    expect((await answered)[':status']).toBe(413);
    await new Promise((resolve) => stream.on('end', resolve).resume());
    expect((await ask('GET', MAPS)).code).toBe(200);
  });

  it('writes nothing of a body that its client took back', async () => {
    const frames = new Frames();
    await frames.opened;
    frames.headers(1, { ':method': 'POST', ':path': MAPS, 'content-type': 'application/yaml' }, { ends: false });
    // What has come by then could be read as a whole object.
    frames.send(DATA, 0, 1, Buffer.from('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: half}\n'));
    await ask('GET', MAPS);
    frames.reset(1);
    // An answer behind it says that the server has seen all of that.
    frames.headers(3, { ':method': 'GET', ':path': MAPS });
    await frames.answered;
    await ask('POST', MAPS, configMap('after'));
    expect((await ask('GET', `${MAPS}/half`)).code).toBe(404);
    frames.socket.destroy();
  });

  it('cuts off who opens streams and takes them back without end', async () => {
    const frames = new Frames();
    await frames.opened;
    const cutOff = new Promise((resolve) => frames.socket.on('close', resolve));
    for (let i = 0; i < 10_000; i++) {
      frames.headers(2 * i + 1, { ':method': 'GET', ':path': MAPS });
      frames.reset(2 * i + 1);
    }
    await cutOff;
    expect((await ask('GET', MAPS)).code).toBe(200);
  });

  it('refuses headers beyond its limit', async () => {
    const large = open('admin');
    await ask('GET', '/livez', undefined, {}, large);
    const result = await ask('GET', MAPS, undefined, { 'x-large': 'x'.repeat(60_000) }, large).then(
      ({ code }) => code,
      () => 'cut off',
    );
    expect([431, 'cut off']).toContain(result);
    large.destroy();
    expect((await ask('GET', MAPS)).code).toBe(200);
  });
});

describe('a server that closes', () => {
  it('lets what it is answering end, and ends connections', async () => {
    const other = await TestServer.start();
    const client = connect(`https://127.0.0.1:${other.port}`, {
      ca: other.pem('ca.crt'),
      cert: other.pem('admin.crt'),
      key: other.pem('admin.key'),
    });
    const watch = send(client, 'GET', `${MAPS}?watch=1`);
    await headersOf(watch);
    const ended = new Promise((resolve) => watch.on('end', resolve).resume());
    const closed = new Promise((resolve) => client.on('close', resolve));
    await other[Symbol.asyncDispose]();
    await ended;
    await closed;
    expect(watch.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
  });
});
