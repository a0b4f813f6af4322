import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { chmod, type FileHandle, mkdir, open, readFile, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { ConfigError } from '../pod/config-error.ts';

const run = promisify(execFile);

/** The mount points strictly below `directory`, the deepest first. */
async function mountsBelow(directory: string): Promise<string[]> {
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  return mounts
    .split('\n')
    .map((line) => unescaped(line.split(' ')[1] ?? ''))
    .filter((path) => path.startsWith(`${directory}/`))
    .sort((a, b) => b.length - a.length);
}

const unescaped = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));

/** Unmounts everything below `directory`. Rejects when something stays mounted. */
export async function unmountBelow(directory: string): Promise<void> {
  for (const path of await mountsBelow(directory)) await run('umount', ['--lazy', path]);
  const left = await mountsBelow(directory);
  if (left.length > 0) throw new Error(`${left[0]} is still mounted`);
}

export async function isMounted(path: string): Promise<boolean> {
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  return mounts.split('\n').some((line) => unescaped(line.split(' ')[1] ?? '') === path);
}

/** Mounts a file system in memory at `path`. `sizeBytes` absent: half of the machine's memory. */
export async function mountMemory(path: string, sizeBytes?: number): Promise<void> {
  const options = ['mode=0777', ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`])].join(',');
  await mkdir(path, { recursive: true });
  await run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]);
}

/**
 * Mounts `subPath` of a volume at `target` and makes it a directory when it is not there. The containers of the
 * pod can write to the volume while this happens, so the path is walked component by component without following
 * links, and what was opened is what gets mounted: a link put there meanwhile can't lead out of the volume.
 */
export async function mountSubPath(volume: string, subPath: string, target: string): Promise<void> {
  const base = await realpath(volume);
  const components = subPath.split(sep).filter((component) => component !== '' && component !== '.');
  if (subPath.startsWith(sep) || components.includes('..')) {
    throw new ConfigError(`subPath "${subPath}" must be relative and without ".."`);
  }
  await makeInside(base, components);
  // Links within the volume are fine: the files of a ConfigMap are links.
  const real = await realpath(join(base, subPath));
  const inside = relative(base, real);
  if (inside === '..' || inside.startsWith('../')) throw new ConfigError(`subPath "${subPath}" is not in the volume`);
  const handle = await openInside(base, inside.split(sep).filter(Boolean), subPath);
  try {
    if ((await handle.stat()).isDirectory()) await mkdir(target, { recursive: true });
    else {
      await mkdir(join(target, '..'), { recursive: true });
      await (await open(target, 'a')).close();
    }
    // From the run of the container before this one; what it showed may have been replaced since.
    if (await isMounted(target)) await run('umount', ['--lazy', target]);
    await run('mount', ['--bind', `/proc/${process.pid}/fd/${handle.fd}`, target]);
  } finally {
    await handle.close();
  }
}

/** Linux' O_PATH: names a file without opening it for reading. */
const O_PATH = 0o10000000;

/** A name in a directory that is open: nobody can put another directory in its place. */
const entryOf = (directory: FileHandle, name: string): string => `/proc/self/fd/${directory.fd}/${name}`;

/** Makes missing directories below `base`, open to whom `base` is open to. Stops at links, which must exist. */
async function makeInside(base: string, components: readonly string[]): Promise<void> {
  const mode = (await stat(base)).mode & 0o7777;
  let handle = await open(base, O_PATH | constants.O_DIRECTORY);
  try {
    for (const component of components) {
      const entry = entryOf(handle, component);
      const made = await mkdir(entry).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code !== 'EEXIST') throw error;
          return false;
        },
      );
      const next = await open(entry, O_PATH | constants.O_NOFOLLOW);
      await handle.close();
      handle = next;
      if (made) await chmod(`/proc/self/fd/${handle.fd}`, mode);
      if (!(await handle.stat()).isDirectory()) return;
    }
  } finally {
    await handle.close();
  }
}

async function openInside(base: string, components: readonly string[], subPath: string): Promise<FileHandle> {
  let handle = await open(base, O_PATH | constants.O_DIRECTORY);
  for (const component of components) {
    const parent = handle;
    try {
      handle = await open(entryOf(parent, component), O_PATH | constants.O_NOFOLLOW);
      // With O_PATH a link is opened as itself instead of being refused.
      if ((await handle.stat()).isSymbolicLink()) {
        await handle.close();
        throw new ConfigError(`subPath "${subPath}" changed while it was being mounted`);
      }
    } finally {
      await parent.close();
    }
  }
  return handle;
}
