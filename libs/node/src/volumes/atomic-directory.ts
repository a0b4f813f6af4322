import {
  chmod,
  chown,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { VolumeFiles } from './volume-files.ts';

/** A symbolic link to the directory of the current content. */
const DATA = '..data';
const DATA_NEXT = '..data_tmp';

/**
 * Makes `directory` show `files`, all at once: the content stands in a directory of its own that `..data` points
 * to, and what users see are links through `..data`. A reader sees all old or all new files, as with the
 * kubelet. Resolves with whether anything changed. `group` owns the files when given.
 */
export async function showFiles(
  directory: string,
  files: VolumeFiles,
  group: number | undefined,
  nowMs: number,
): Promise<boolean> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const current = await readlink(join(directory, DATA)).catch(() => undefined);
  if (current !== undefined && (await isSame(join(directory, current), files))) return false;

  const next = `..${new Date(nowMs).toISOString().replace(/[-:T]/g, '_').replace('Z', '')}.${process.hrtime.bigint() % 1_000_000n}`;
  await writeAll(join(directory, next), files, group);
  await rm(join(directory, DATA_NEXT), { force: true });
  await symlink(next, join(directory, DATA_NEXT));
  await rename(join(directory, DATA_NEXT), join(directory, DATA));
  await linkAll(directory, new Set([...files.keys()].map((path) => path.split('/')[0]!)));
  // The old content, and what a change that was interrupted left.
  const old = (await readdir(directory)).filter((name) => name.startsWith('..') && name !== DATA && name !== next);
  for (const name of old) await rm(join(directory, name), { recursive: true, force: true });
  return true;
}

async function isSame(directory: string, files: VolumeFiles): Promise<boolean> {
  const found = await listFiles(directory);
  if (found.length !== files.size) return false;
  for (const path of found) {
    const file = files.get(path);
    if (!file) return false;
    const full = join(directory, path);
    if (((await stat(full)).mode & 0o777 & ~0o040) !== (file.mode & 0o777 & ~0o040)) return false;
    if (!file.content.equals(await readFile(full))) return false;
  }
  return true;
}

async function listFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
}

async function writeAll(directory: string, files: VolumeFiles, group: number | undefined): Promise<void> {
  await mkdir(directory, { mode: 0o755 });
  for (const [path, { content, mode }] of files) {
    const full = join(directory, path);
    await mkdir(dirname(full), { recursive: true, mode: 0o755 });
    await writeFile(full, content);
    if (group !== undefined) await chown(full, 0, group);
    // The umask does not apply to chmod. Members of the group may read whatever the mode says.
    await chmod(full, group === undefined ? mode : mode | 0o040);
  }
}

async function linkAll(directory: string, names: ReadonlySet<string>): Promise<void> {
  const shown = (await readdir(directory)).filter((name) => !name.startsWith('..'));
  for (const name of shown) if (!names.has(name)) await rm(join(directory, name), { force: true, recursive: true });
  const missing = [...names].filter((name) => !shown.includes(name));
  for (const name of missing) await symlink(join(DATA, name), join(directory, name));
}
