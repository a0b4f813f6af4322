import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TestServer } from './test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

const MAPS = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });

describe('while etcd does not answer', () => {
  it('the server is alive but not ready, tells clients to come back, serves old reads, and recovers by itself', async () => {
    const { json } = await server.ask('POST', MAPS, { body: configMap('before') });
    const version = json.metadata.resourceVersion;
    const watch = await server.open('GET', `${MAPS}?watch=1&resourceVersion=${version}`);
    const events = createInterface({ input: watch })[Symbol.asyncIterator]();
    const [member] = server.etcd.members;
    await member!.pause();

    const [read, write, ready, live, old] = await Promise.all([
      server.ask('GET', `${MAPS}/before`),
      server.ask('POST', `${MAPS}?timeout=8s`, { body: configMap('during') }),
      server.ask('GET', '/readyz'),
      server.ask('GET', '/livez'),
      server.ask('GET', `${MAPS}/before?resourceVersion=0`),
    ]);
    expect([old.code, old.json.metadata.name]).toEqual([200, 'before']);
    expect([live.code, ready.code]).toEqual([200, 500]);
    expect(ready.body).toMatch(/^\[-\]etcd failed: /m);
    expect([read.code, read.json.reason, read.headers['retry-after']]).toEqual([503, 'ServiceUnavailable', '1']);
    expect([write.code, write.json.reason]).toEqual([504, 'Timeout']);

    await member!.resume();
    await vi.waitUntil(async () => (await server.ask('GET', '/readyz')).code === 200, { timeout: 30_000 });
    const after = await server.ask('POST', MAPS, { body: configMap('after') });
    expect(after.code).toBe(201);
    const names: string[] = [];
    while (!names.includes('after')) names.push(JSON.parse((await events.next()).value ?? '').object.metadata.name);
    watch.destroy();
  });

  it('takes a bounded number of requests, and tells the others to come back', async () => {
    const [member] = server.etcd.members;
    await member!.pause();
    const answers = await Promise.all(
      Array.from({ length: 700 }, (_, i) => server.ask('POST', `${MAPS}?timeout=2s`, { body: configMap(`many-${i}`) })),
    );
    const count = (code: number) => answers.filter((answer) => answer.code === code).length;
    // A write whose time was over before may still be looked for.
    expect(count(504)).toBeGreaterThan(590);
    expect(count(504) + count(429)).toBe(700);
    expect(answers.find(({ code }) => code === 429)?.headers['retry-after']).toBe('1');
    await member!.resume();
    await vi.waitUntil(async () => (await server.ask('GET', '/readyz')).code === 200, { timeout: 30_000 });
  });
});
