import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { whyNoContainers } from '@periplus/containerd';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mountSubPath, unmountBelow } from '../../../libs/node/src/volumes/mounts.ts';

const reason = whyNoContainers();

describe.skipIf(reason)(`a part of a volume${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let folder: string;
  let volume: string;
  let target: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'periplus-subpath-'));
    volume = join(folder, 'volume');
    target = join(folder, 'mounts/target');
    mkdirSync(volume, { mode: 0o755 });
    mkdirSync(join(folder, 'outside'));
  });
  afterEach(async () => {
    await unmountBelow(folder);
    rmSync(folder, { recursive: true });
  });

  it('is made when it is not there, and shows what is put into it', async () => {
    await mountSubPath(volume, 'a/b', target);
    writeFileSync(join(volume, 'a/b/file'), 'text');
    expect(readFileSync(join(target, 'file'), 'utf8')).toBe('text');
    expect(statSync(join(volume, 'a')).mode & 0o777).toBe(0o755);
  });

  it('may be a file behind links within the volume', async () => {
    mkdirSync(join(volume, '..2026'));
    writeFileSync(join(volume, '..2026/key'), 'value');
    symlinkSync('..2026', join(volume, '..data'));
    symlinkSync('..data/key', join(volume, 'key'));
    await mountSubPath(volume, 'key', target);
    expect(readFileSync(target, 'utf8')).toBe('value');
  });

  it('does not lead out of the volume, and makes nothing there', async () => {
    symlinkSync(join(folder, 'outside'), join(volume, 'link'));
    await expect(mountSubPath(volume, 'link', target)).rejects.toThrow('subPath "link" is not in the volume');
    await expect(mountSubPath(volume, 'link/made', target)).rejects.toThrow();
    await expect(mountSubPath(volume, '../outside/made', target)).rejects.toThrow();
    expect(existsSync(join(folder, 'outside/made'))).toBe(false);
    expect(existsSync(target)).toBe(false);
  });

  it('replaces what was mounted there before', async () => {
    await mountSubPath(volume, 'one', target);
    await mountSubPath(volume, 'two', target);
    writeFileSync(join(volume, 'two/file'), '');
    expect(existsSync(join(target, 'file'))).toBe(true);
    await unmountBelow(folder);
    expect(existsSync(join(target, 'file'))).toBe(false);
  });
});
