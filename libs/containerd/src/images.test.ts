import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { pauseImage } from './images.ts';
import { writeOciArchive } from './oci-archive.ts';
import { pauseProgram } from './pause-program.ts';
import { writeTar } from './tar.ts';

const SOON = { timeout: 20_000, interval: 20 };
const folder = mkdtempSync(join(tmpdir(), 'periplus-images-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('writeTar', () => {
  it('writes an archive that tar lists and unpacks as given', () => {
    const archive = join(folder, 'a.tar');
    writeFileSync(
      archive,
      writeTar([
        { path: 'bin', type: 'directory', mode: 0o755 },
        { path: 'bin/run', type: 'file', mode: 0o755, content: Buffer.from('x'.repeat(600)) },
        { path: 'bin/alias', type: 'symlink', target: 'run' },
      ]),
    );
    const listing = execFileSync('tar', ['-tvf', archive], { encoding: 'utf8' });
    expect(listing).toMatch(/^drwxr-xr-x .* bin\/\n-rwxr-xr-x .* 600 .* bin\/run\nlrwxrwxrwx .* bin\/alias -> run\n$/);
    expect(execFileSync('tar', ['-xOf', archive, 'bin/run'], { encoding: 'utf8' })).toBe('x'.repeat(600));
  });

  it('refuses a path that its header has no room for', () => {
    expect(() => writeTar([{ path: 'x'.repeat(101), type: 'directory', mode: 0o755 }])).toThrow(RangeError);
  });
});

describe('writeOciArchive', () => {
  it('is the same for the same input, so that an image keeps its digest', () => {
    expect(pauseImage().equals(pauseImage())).toBe(true);
  });

  it('names the image for containerd and for docker', () => {
    const archive = writeOciArchive({ name: 'localhost/a:2', architecture: 'amd64', settings: {}, files: [] });
    expect(archive.toString('latin1')).toContain('"io.containerd.image.name":"localhost/a:2"');
    expect(archive.toString('latin1')).toContain('"RepoTags":["localhost/a:2"]');
  });
});

describe.skipIf(process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch))('the pause program', () => {
  const path = join(folder, 'pause');
  writeFileSync(path, pauseProgram(process.arch === 'x64' ? 'amd64' : 'arm64'), { mode: 0o755 });

  it.each(['SIGTERM', 'SIGINT'] as const)('waits until %s and then succeeds', async (signal) => {
    const child = spawn(path);
    await once(child, 'spawn');
    // Until it waits, signals end it as they do any process that is not process 1.
    const state = (): string => readFileSync(`/proc/${child.pid}/status`, 'utf8');
    await vi.waitFor(() => expect(state()).toMatch(/^State:\s*S/m), SOON);
    child.kill('SIGHUP');
    child.kill('SIGCHLD');
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
