import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;

/**
 * Asks again and again until the answer is there. Rejects with what was waited for when `msMax` have passed,
 * and when `signal` aborts.
 */
export async function eventually(
  what: string,
  holds: () => Promise<boolean>,
  options: { msMax: number; signal?: AbortSignal },
): Promise<void> {
  const deadline = Date.now() + options.msMax;
  while (!(await holds())) {
    options.signal?.throwIfAborted();
    if (Date.now() > deadline) throw new Error(`${what}: not after ${Math.round(options.msMax / 1000)} s`);
    await sleep(POLL_MS);
  }
}

/** Whether a plain HTTP page on loopback answers 200. */
export async function answersOk(port: number, path: string): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
