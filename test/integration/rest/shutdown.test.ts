import { connect, constants } from 'node:http2';
import { Agent, request } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { TestServer } from './test-server.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';

/** The code of the answer; null when there was nobody to send the request to. Rejects when it was sent in vain. */
const create = (agent: Agent, port: number, name: string): Promise<number | undefined | null> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const sent = request({ agent, host: '127.0.0.1', port, method: 'POST', path: MAPS, headers }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode));
    });
    let connected = false;
    sent.on('socket', (socket) => {
      connected = sent.reusedSocket;
      if (!connected) socket.once('secureConnect', () => (connected = true));
    });
    sent.on('error', (error) => (connected ? reject(error) : resolve(null)));
    sent.end(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } }));
  });

describe('a server that stops', () => {
  it('says so first, and answers every request that reaches it', async () => {
    const server = await TestServer.start();
    const errors: string[] = [];
    let answered = 0;
    /** Goes on until nobody listens any more. */
    const client = async (name: string): Promise<void> => {
      const pair = { cert: server.pem('admin.crt'), key: server.pem('admin.key') };
      const agent = new Agent({ keepAlive: true, ca: server.pem('ca.crt'), ...pair });
      for (let i = 0; ; i++) {
        const code = await create(agent, server.port, `${name}-${i}`).catch((error) => errors.push(String(error)));
        if (code === null) break;
        expect(code).toBe(201);
        answered++;
        // A connection that is idle now and then is what a server might close at the wrong moment.
        await pause(i % 4);
      }
      agent.destroy();
    };
    const clients = ['a', 'b', 'c', 'd'].map(client);
    const probe = (async () => {
      await using one = server.at(server.port);
      for (;;) {
        const { code, body } = await one.ask('GET', '/readyz', { as: '' });
        if (code !== 200) return body;
      }
    })();
    while (answered < 50) await pause(5);
    const stopped = server[Symbol.asyncDispose]();
    expect(await probe).toMatch(/^\[-\]shutdown failed: /m);
    await Promise.all(clients);
    await stopped;
    expect(errors).toEqual([]);
  });

  it('tells HTTP/2 clients to go, and lets their requests and watches end', async () => {
    const server = await TestServer.start();
    const pair = { cert: server.pem('admin.crt'), key: server.pem('admin.key') };
    const client = connect(`https://127.0.0.1:${server.port}`, { ca: server.pem('ca.crt'), ...pair });
    const watch = client.request({ ':path': `${MAPS}?watch=1` });
    await new Promise((resolve) => watch.on('response', resolve));
    const told = new Promise((resolve) => client.on('goaway', resolve));
    const ended = new Promise((resolve) => watch.on('end', resolve).resume());
    await server[Symbol.asyncDispose]();
    expect(await told).toBe(constants.NGHTTP2_NO_ERROR);
    await ended;
    expect(watch.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
  });
});
