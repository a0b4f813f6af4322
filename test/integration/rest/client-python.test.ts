import { execFile, spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from './test-server.ts';

const run = promisify(execFile);
const PROGRAM = join(import.meta.dirname, '../../clients/python');
const ENVIRONMENT = join(import.meta.dirname, '../../../.cache/client-python');
const PYTHON = join(ENVIRONMENT, 'bin/python');
const INSTALL_MS_MAX = 300_000;

/** Why the client can't be had here; '' when it is installed. */
function obstacle(): string {
  if (existsSync(PYTHON)) return '';
  const install = (command: string, ...args: string[]): boolean =>
    spawnSync(command, args, { timeout: INSTALL_MS_MAX, stdio: 'ignore' }).status === 0;
  if (!install('python3', '-m', 'venv', ENVIRONMENT)) return 'python3 cannot make a virtual environment here';
  if (install(PYTHON, '-m', 'pip', 'install', '--quiet', '--requirement', join(PROGRAM, 'requirements.txt'))) return '';
  rmSync(ENVIRONMENT, { recursive: true });
  return 'the Python package index does not have the client';
}

const reason = obstacle();

describe.skipIf(reason)(`Kubernetes' client for Python${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it('writes, reads, pages, watches, applies and understands errors', async () => {
    const { stdout } = await run(PYTHON, [join(PROGRAM, 'main.py'), join(server.folder, 'kubeconfig')]);
    expect(JSON.parse(stdout)).toEqual({
      created: [1, '25%'],
      scaled: 3,
      listed: ['list-0', 'list-1', 'list-2', 'list-3', 'list-4'],
      events: ['ADDED watched-0', 'DELETED watched-0', 'ADDED watched-1', 'DELETED watched-1'],
      refused: { missing: [404, 'NotFound'], twice: [409, 'AlreadyExists'], invalid: [422, 'Invalid'] },
      applied: ['Apply'],
      version: ['v1', '36'],
    });
  });
});
