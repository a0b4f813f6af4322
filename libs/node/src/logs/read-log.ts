import { type FileHandle, open, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { LogFilter, type LogSelection } from './log-lines.ts';

export interface LogRequest extends LogSelection {
  path: string;
  tailLines?: number;
  follow: boolean;
  /** While it does, a followed log may still grow. */
  isRunning(): boolean | Promise<boolean>;
}

const BLOCK_BYTES = 64 * 1024;
/** How soon a follower sees a new line. */
const POLL_MS = 100;
/** Lines still in the runtime's hands when the container ended. */
const LAST_LINES_MS = 300;

/** Yields the log as a client asked for it. Rejects with ENOENT when there is no such log. */
export async function* readLog(request: LogRequest, signal: AbortSignal): AsyncGenerator<Buffer> {
  const filter = new LogFilter(request);
  let file = await open(request.path);
  try {
    let position = request.tailLines === undefined ? 0 : await tailStart(file, request.tailLines);
    let endsAtMs: number | null = null;
    while (!signal.aborted && !filter.isFull) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(BLOCK_BYTES), 0, BLOCK_BYTES, position);
      if (bytesRead > 0) {
        position += bytesRead;
        const out = filter.push(buffer.subarray(0, bytesRead));
        if (out.length > 0) yield out;
        continue;
      }
      if (!request.follow) return;
      const next = await replaced(file, request.path);
      if (next) {
        await file.close();
        [file, position] = [next, 0];
        continue;
      }
      if (endsAtMs === null && !(await request.isRunning())) endsAtMs = Date.now() + LAST_LINES_MS;
      if (endsAtMs !== null && Date.now() >= endsAtMs) return;
      await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    await file.close();
  }
}

/** The file that has taken the place of `file` since a rotation. */
async function replaced(file: FileHandle, path: string): Promise<FileHandle | undefined> {
  const [ours, theirs] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
  if (!theirs || theirs.ino === ours.ino) return undefined;
  return open(path).catch(() => undefined);
}

/** Where the last `lines` lines begin. Reads backwards, so that the length of the log does not matter. */
async function tailStart(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat();
  if (lines <= 0) return size;
  let found = 0;
  // The newline at the very end closes the last line.
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const { buffer } = await file.read(Buffer.allocUnsafe(end - start), 0, end - start, start);
    for (let i = buffer.lastIndexOf(10); i >= 0; i = i > 0 ? buffer.lastIndexOf(10, i - 1) : -1) {
      if (start + i === size - 1) continue;
      found += 1;
      if (found === lines) return start + i + 1;
    }
    end = start;
  }
  return 0;
}
