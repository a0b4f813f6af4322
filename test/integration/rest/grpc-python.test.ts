import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from './test-server.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
const SAMPLE = join(root, 'samples/grpc-python');
const ENVIRONMENT = join(root, '.cache/grpc-python');
const PYTHON = join(ENVIRONMENT, 'bin/python');
const INSTALL_MS_MAX = 300_000;
/** As the sample's README says. */
const CONTRACTS = ['periplus/api/v1/resources.proto', 'periplus/store/v1/record.proto', 'kubernetes/status.proto'];

/** Why gRPC for Python can't be had here; '' when it is installed. */
function obstacle(): string {
  if (existsSync(PYTHON)) return '';
  const install = (command: string, ...args: string[]): boolean =>
    spawnSync(command, args, { timeout: INSTALL_MS_MAX, stdio: 'ignore' }).status === 0;
  if (!install('python3', '-m', 'venv', ENVIRONMENT)) return 'python3 cannot make a virtual environment here';
  if (install(PYTHON, '-m', 'pip', 'install', '--quiet', '--requirement', join(SAMPLE, 'requirements.txt'))) return '';
  rmSync(ENVIRONMENT, { recursive: true });
  return 'the Python package index does not have gRPC';
}

const reason = obstacle();

describe.skipIf(reason)(`the sample in Python${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let server: TestServer;
  let stubs: string;
  beforeAll(async () => {
    server = await TestServer.start();
    stubs = mkdtempSync(join(tmpdir(), 'periplus-stubs-'));
  });
  afterAll(async () => {
    rmSync(stubs, { recursive: true, force: true });
    await server[Symbol.asyncDispose]();
  });

  it('applies, lists, watches, understands a refusal and deletes, with stubs made of the contract', async () => {
    const out = ['-I', join(root, 'proto'), `--python_out=${stubs}`, `--grpc_python_out=${stubs}`];
    await run(PYTHON, ['-m', 'grpc_tools.protoc', ...out, ...CONTRACTS]);
    const program = [join(SAMPLE, 'main.py'), `127.0.0.1:${server.grpcPort}`, server.folder];
    const { stdout } = await run(PYTHON, program, { env: { ...process.env, PYTHONPATH: stubs } });
    expect(stdout.trim().split('\n')).toEqual([
      'applied 4 objects at 1 revision',
      'red: one, three',
      'seen:',
      '  ADDED two',
      '  MODIFIED one',
      "refused: ABORTED, Conflict 409 of three: ['objects[0].data.n']",
      'deleted from-python',
    ]);
  });
});
