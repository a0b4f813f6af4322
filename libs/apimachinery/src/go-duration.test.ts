import { expect, it } from 'vitest';
import { goDurationMs } from './go-duration.ts';

it.each<[string, number | undefined]>([
  ['10s', 10_000],
  ['1m0s', 60_000],
  ['1.5h', 5_400_000],
  ['-500ms', -500],
  ['+2µs', 0.002],
  ['0', 0],
  ['10', undefined],
  ['', undefined],
  ['1d', undefined],
  ['s', undefined],
])('reads %j', (text, ms) => {
  expect(goDurationMs(text)).toBe(ms);
});
