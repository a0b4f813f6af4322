import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from './test-server.ts';

const run = promisify(execFile);
const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const PROGRAM = join(import.meta.dirname, '../../clients/client-go');
/** The first build compiles all of client-go. */
const BUILD_MS_MAX = 900_000;
const hasGo = spawnSync('go', ['version']).status === 0;

describe.skipIf(!hasGo)(`client-go${hasGo ? '' : ' (skipped: there is no Go to build it with)'}`, () => {
  let server: TestServer;
  let program: string;
  beforeAll(async () => {
    server = await TestServer.start();
    program = join(server.folder, 'client-go');
    await run('go', ['build', '-o', program, '.'], { cwd: PROGRAM });
  }, BUILD_MS_MAX);
  afterAll(() => server[Symbol.asyncDispose]());

  it.each([
    [PROTOBUF, [PROTOBUF, `${PROTOBUF};stream=watch`]],
    // Its metadata client prefers protobuf whatever it is told.
    ['application/json', ['application/json', PROTOBUF]],
  ])('writes, reads, pages, watches and understands errors in %s', async (type, answered) => {
    const { stdout } = await run(program, [join(server.folder, 'kubeconfig'), type]);
    const { contentTypes, protocols, ...seen } = JSON.parse(stdout);
    expect(Object.keys(contentTypes).sort()).toEqual(answered);
    expect(Object.keys(protocols)).toEqual(['HTTP/2.0']);
    expect(seen).toEqual({
      limit: '1500m yes',
      surge: '25%',
      secret: Buffer.from('pass\xff', 'latin1').toString('hex'),
      listed: ['list-0', 'list-1', 'list-2', 'list-3', 'list-4'],
      continued: true,
      conflict: true,
      notFound: true,
      invalid: expect.any(Number),
      events: ['added one', 'updated one b', 'added two', 'deleted two'],
      metadata: ['one'],
      deploymentFields: 5,
      documents: expect.any(Number),
    });
    expect(seen.invalid).toBeGreaterThan(2);
    expect(seen.documents).toBe(Object.keys((await server.ask('GET', '/openapi/v3')).json.paths).length);
  });
});
