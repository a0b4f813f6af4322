import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configuration, ServerProcess } from './server-process.ts';
import { TestServer } from './test-server.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';

/** Lends its etcd, its certificates and its client to processes of the same cluster. */
let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

describe('the process', () => {
  it('names what is wrong with its configuration, and ends', async () => {
    const run = new ServerProcess(server, await configuration(server, { serviceCidr: '10.0.0.0/99' }));
    expect(await run.exit).toBe(2);
    expect(run.said('bad configuration: serviceCidr')).toBe(true);
    const misspelt = new ServerProcess(server, await configuration(server, { prot: 6443 }));
    expect(await misspelt.exit).toBe(2);
    expect(misspelt.said('bad configuration: prot: unknown field')).toBe(true);
  });

  it('ends watches and answers what it was asked when it is told to stop', async () => {
    const config = await configuration(server);
    const run = new ServerProcess(server, config);
    await using client = server.at(config.port);
    await client.ready();
    const made = await client.ask('POST', MAPS, {
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'from-process' } },
    });
    expect(made.code).toBe(201);
    const watch = await client.open('GET', `${MAPS}?watch=1&resourceVersion=${made.json.metadata.resourceVersion}`);
    const ended = once(watch.resume(), 'end');
    run.child.kill('SIGTERM');
    await ended;
    expect(watch.complete).toBe(true);
    expect(await run.exit).toBe(0);
    expect(run.said('stopped')).toBe(true);
    // What one server has written, every other one of the same etcd serves.
    expect((await server.ask('GET', `${MAPS}/from-process`)).code).toBe(200);
  });

  it('keeps secrets out of its log', async () => {
    const config = await configuration(server, { logLevel: 'debug' });
    const run = new ServerProcess(server, config);
    await using client = server.at(config.port);
    await client.ready();
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { password: 'hush-hush' } };
    await client.ask('POST', '/api/v1/namespaces/default/secrets', { body: secret });
    run.child.kill('SIGTERM');
    await run.exit;
    expect(JSON.stringify(run.lines)).not.toContain('hush-hush');
    expect(JSON.stringify(run.lines)).not.toContain(readFileSync(join(server.folder, 'sa.key'), 'utf8').slice(30, 60));
  });
});
