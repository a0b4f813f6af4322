import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** The kubelet's containerLogMaxSize and containerLogMaxFiles. */
const LOG_BYTES_MAX = 10 * 1024 * 1024;
const LOG_FILES_MAX = 5;

export interface LogLimits {
  bytesMax: number;
  /** With the one that is written to. */
  filesMax: number;
}

const DEFAULT_LOG_LIMITS: LogLimits = { bytesMax: LOG_BYTES_MAX, filesMax: LOG_FILES_MAX };

/** Which rotated files of a log go when another one comes: the oldest ones. Names end in the time of rotation. */
export function logsToRemove(rotated: readonly string[], filesMax: number): string[] {
  const kept = Math.max(0, filesMax - 2);
  return [...rotated].sort().slice(0, Math.max(0, rotated.length - kept));
}

/**
 * Puts a log that has grown over its limit aside and has the runtime open a new one. Resolves with whether it did.
 * When the runtime can't, the log is put back, so that nothing is written to where nobody looks.
 */
export async function rotateLog(
  path: string,
  reopen: () => Promise<void>,
  nowMs: number,
  limits: LogLimits = DEFAULT_LOG_LIMITS,
): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (!found || found.size <= limits.bytesMax) return false;
  const directory = dirname(path);
  const prefix = `${basename(path)}.`;
  const rotated = (await readdir(directory)).filter((name) => name.startsWith(prefix));
  for (const name of logsToRemove(rotated, limits.filesMax)) await rm(join(directory, name), { force: true });
  const stamp = new Date(nowMs).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const aside = `${path}.${stamp}`;
  await rename(path, aside);
  try {
    await reopen();
  } catch (error) {
    await rename(aside, path);
    throw error;
  }
  return true;
}
