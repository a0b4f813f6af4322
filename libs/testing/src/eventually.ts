import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 100;

/**
 * Asks until `check` does not throw, and returns its answer. Rejects with its last error after `msMax`: a test
 * waits for a condition, never for a time.
 */
export async function eventually<T>(check: () => T | Promise<T>, msMax = 60_000): Promise<T> {
  const deadline = Date.now() + msMax;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await sleep(POLL_MS);
  }
}
