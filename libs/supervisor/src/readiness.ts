import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;
const ANSWER_MS_MAX = 2_000;

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

/** Whether a plain HTTP page on loopback answers 200. By node:http, since fetch would stay in memory for as long as we run. */
export function answersOk(port: number, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = get({ host: '127.0.0.1', port, path, agent: false, timeout: ANSWER_MS_MAX }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(false));
  });
}
