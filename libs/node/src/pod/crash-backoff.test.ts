import { expect, it } from 'vitest';
import { type Backoff, nextBackoff, retryAt, shortDuration } from './crash-backoff.ts';

it('restarts at once, then after 10 s, doubling to 300 s', () => {
  let backoff: Backoff | undefined;
  let nowMs = 0;
  const waits: number[] = [];
  for (let i = 0; i < 8; i += 1) {
    const againMs = retryAt(backoff, nowMs) ?? nowMs;
    waits.push((againMs - nowMs) / 1_000);
    backoff = nextBackoff(backoff, nowMs, againMs);
    nowMs = againMs + 1_000;
  }
  expect(waits).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
});

it('starts from the beginning after ten good minutes', () => {
  const backoff = { delayMs: 300_000, sinceMs: 0 };
  expect(retryAt(backoff, 600_000)).toBe(900_000);
  expect(retryAt(backoff, 600_001)).toBeUndefined();
  expect(nextBackoff(backoff, 600_001, 600_001).delayMs).toBe(10_000);
});

it('prints durations as Go does', () => {
  expect([10_000, 160_000, 300_000].map(shortDuration)).toEqual(['10s', '2m40s', '5m0s']);
});
