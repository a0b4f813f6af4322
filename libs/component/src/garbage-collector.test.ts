import { afterEach, expect, it, vi } from 'vitest';
import { collectWhenSettled } from './garbage-collector.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Whether garbage of before is gone once the process has settled. */
async function collects(): Promise<boolean> {
  const garbage = new WeakRef({});
  // What a WeakRef was made of lives until the event loop turns.
  await new Promise((resolve) => setImmediate(resolve));
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  collectWhenSettled();
  vi.advanceTimersByTime(60_000);
  return garbage.deref() === undefined;
}

it('collects once what the start has left behind', async () => {
  vi.spyOn(process, 'memoryUsage').mockReturnValue({ ...process.memoryUsage(), heapUsed: 30 << 20 });
  expect(await collects()).toBe(true);
});

it('leaves a process alone that has much in memory', async () => {
  vi.spyOn(process, 'memoryUsage').mockReturnValue({ ...process.memoryUsage(), heapUsed: 300 << 20 });
  expect(await collects()).toBe(false);
});
