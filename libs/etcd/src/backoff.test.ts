import { expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';

test('waits grow with each attempt up to the maximum, and vary from nothing to all of it', () => {
  const options = { baseMs: 50, maxMs: 1_000 };
  const longest = [0, 1, 2, 3, 4, 5, 6, 1_000].map((attempt) => backoffMs(attempt, options, 0.9999999));
  expect(longest).toEqual([49, 99, 199, 399, 799, 999, 999, 999]);
  expect(backoffMs(5, options, 0)).toBe(0);
});
