import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { type OciImage, writeOciArchive } from './oci-archive.ts';
import { pauseProgram } from './pause-program.ts';
import type { TarEntry } from './tar.ts';

/** What sandboxes run. Kept by name in the configuration of containerd, so it is never pulled. */
export const PAUSE_IMAGE = 'localhost/pause:1';
/** What samples/hello.yaml runs. */
export const HELLO_IMAGE = 'localhost/hello:1';

const architecture = (): OciImage['architecture'] => {
  if (process.arch === 'x64') return 'amd64';
  if (process.arch === 'arm64') return 'arm64';
  throw new Error(`images can't be made for ${process.arch}: amd64 and arm64 are known`);
};

/** The archive of the pause image, made for this machine's architecture. */
export function pauseImage(): Buffer {
  return writeOciArchive({
    name: PAUSE_IMAGE,
    architecture: architecture(),
    settings: { entrypoint: ['/pause'], user: '65535:65535' },
    files: [{ path: 'pause', type: 'file', mode: 0o755, content: pauseProgram(architecture()) }],
  });
}

/** Answers HTTP with the files below /www, and ends at once when it is told to. */
const HELLO_SCRIPT = `#!/bin/sh
# Serves the files in /www; PORT and GREETING can be set.
echo "\${GREETING:-hello} from $(hostname), serving /www on port \${PORT:-8080}"
httpd -f -vv -p "\${PORT:-8080}" -h /www &
trap 'echo "$(hostname) says goodbye"; kill $!; exit 0' TERM INT
wait
`;

/**
 * The archive of a small image with a shell and the usual commands, which serves /www on port 8080 as user 1000.
 * `busybox` is a statically linked busybox; all its commands are there as links.
 */
export function helloImage(busybox: string, name = HELLO_IMAGE): Buffer {
  const commands = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).split('\n').filter(Boolean);
  const text = (path: string, content: string, mode = 0o644): TarEntry => ({
    path,
    type: 'file',
    mode,
    content: Buffer.from(content),
  });
  return writeOciArchive({
    name,
    architecture: architecture(),
    settings: {
      command: ['/bin/hello'],
      environment: ['PATH=/bin'],
      user: '1000:1000',
      workingDirectory: '/',
      exposedPorts: ['8080/tcp'],
    },
    files: [
      ...['bin', 'etc', 'home', 'www'].map((path): TarEntry => ({ path, type: 'directory', mode: 0o755 })),
      { path: 'tmp', type: 'directory', mode: 0o1777 },
      { path: 'bin/busybox', type: 'file', mode: 0o755, content: readFileSync(busybox) },
      ...commands
        .filter((command) => command !== 'busybox')
        .map((command): TarEntry => ({ path: `bin/${command}`, type: 'symlink', target: 'busybox' })),
      text('bin/hello', HELLO_SCRIPT, 0o755),
      text('etc/passwd', 'root:x:0:0:root:/:/bin/sh\nhello:x:1000:1000:hello:/home:/bin/sh\n'),
      text('etc/group', 'root:x:0:\nhello:x:1000:\n'),
      text('www/index.html', 'hello\n'),
    ],
  });
}

/** A statically linked busybox of this machine, or undefined: Debian's package busybox-static has one. */
export function findStaticBusybox(): string | undefined {
  return ['/bin/busybox', '/usr/bin/busybox'].find((path) => {
    try {
      return !hasInterpreter(readFileSync(path));
    } catch {
      return false;
    }
  });
}

/** Whether a 64-bit little-endian ELF file names a dynamic linker (a PT_INTERP program header). */
function hasInterpreter(elf: Buffer): boolean {
  const headersAt = Number(elf.readBigUInt64LE(32));
  const headerBytes = elf.readUInt16LE(54);
  const count = elf.readUInt16LE(56);
  for (let i = 0; i < count; i += 1) if (elf.readUInt32LE(headersAt + i * headerBytes) === 3) return true;
  return false;
}

/** Makes an image archive (OCI or Docker format) known to the containerd at `socketPath`. Resolves with its names. */
export async function importImage(socketPath: string, archivePath: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ctr', [
    ...['--address', socketPath, '--namespace', 'k8s.io'],
    ...['images', 'import', '--all-platforms=false', archivePath],
  ]);
  return [...stdout.matchAll(/^unpacking (\S+)/gm)].map((match) => match[1]!);
}
