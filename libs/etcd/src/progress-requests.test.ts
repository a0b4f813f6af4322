import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ProgressRequests } from './progress-requests.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function asking({ trusted = true } = {}) {
  const state = { wanted: true, requests: 0, lookUps: 0 };
  const requests = new ProgressRequests(() => state.wanted);
  const stream = {
    request: () => state.requests++,
    lookUpTrust: async () => {
      state.lookUps++;
      return trusted;
    },
  };
  return { state, requests, stream };
}

test('a request that stays unanswered is repeated, ever more slowly', async () => {
  const { state, requests, stream } = asking();
  requests.opened(stream);
  await vi.advanceTimersByTimeAsync(0);
  expect(state.requests).toBe(1);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(state.requests).toBe(4); // at 0, 100, 300, 700
  await vi.advanceTimersByTimeAsync(60_000);
  expect(state.requests).toBeLessThan(20);
  expect(state.lookUps).toBe(1);
});

test('while one is on its way no other is sent, and after its answer the next goes at once', async () => {
  const { state, requests, stream } = asking();
  requests.opened(stream);
  await vi.advanceTimersByTimeAsync(0);
  requests.ask();
  requests.ask();
  expect(state.requests).toBe(1);
  requests.answered();
  expect(state.requests).toBe(2);
  state.wanted = false;
  requests.answered();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(state.requests).toBe(2);
});

test('whether answers can be believed is looked up when first needed, for each stream anew', async () => {
  const { state, requests, stream } = asking({ trusted: true });
  state.wanted = false;
  requests.opened(stream);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(state.lookUps).toBe(0);
  state.wanted = true;
  requests.ask();
  await vi.advanceTimersByTimeAsync(0);
  expect(requests.trusted).toBe(true);
  requests.closed();
  requests.opened({ ...stream, lookUpTrust: async () => false });
  expect(requests.trusted).toBe(false);
  await vi.advanceTimersByTimeAsync(0);
  expect(requests.trusted).toBe(false);
});
