import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Silence } from './silence.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate'] }));
afterEach(() => void vi.useRealTimers());

function listening() {
  const told: string[] = [];
  const silence = new Silence(
    () => told.push('ask'),
    () => told.push('give up'),
  );
  return { silence, told };
}

test('a quiet stream is asked for a message, and given up when none comes', async () => {
  const { told } = listening();
  await vi.advanceTimersByTimeAsync(15_100);
  expect(told).toEqual(['ask']);
  await vi.advanceTimersByTimeAsync(15_100);
  expect(told).toEqual(['ask', 'give up']);
});

test('a stream that answers is not given up', async () => {
  const { silence, told } = listening();
  for (let round = 0; round < 5; round++) {
    await vi.advanceTimersByTimeAsync(15_100);
    silence.broken();
  }
  expect(told).toEqual(Array(5).fill('ask'));
});

test('a stream that has ended is left alone', async () => {
  const { silence, told } = listening();
  silence.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told).toEqual([]);
});
