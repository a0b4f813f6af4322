import { open } from 'node:fs/promises';

/** https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/ */
const MESSAGE_BYTES_MAX = 4_096;
const LOG_BYTES_MAX = 2_048;
const LOG_LINES_MAX = 80;

async function readEnd(path: string, bytesMax: number): Promise<string> {
  const file = await open(path).catch(() => undefined);
  if (!file) return '';
  try {
    const { size } = await file.stat();
    const length = Math.min(size, bytesMax);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.subarray(0, bytesRead).toString();
  } finally {
    await file.close();
  }
}

/**
 * What a container that ended has to say: its termination message file, and when that is empty, the container
 * failed and its policy says so, the end of its log.
 */
export async function terminationMessage(
  messagePath: string,
  logPath: string,
  fallBackToLog: boolean,
): Promise<string> {
  const message = await readEnd(messagePath, MESSAGE_BYTES_MAX);
  if (message || !fallBackToLog) return message;
  // A log line is `<time> <stream> <F|P> <text>`; room for what comes before the text.
  const log = await readEnd(logPath, LOG_BYTES_MAX + LOG_LINES_MAX * 48);
  const lines = log.split('\n').filter(Boolean);
  const texts = lines.map((line) => line.split(' ').slice(3).join(' '));
  return texts.slice(-LOG_LINES_MAX).join('\n').slice(-LOG_BYTES_MAX);
}
