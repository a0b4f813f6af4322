import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deadlines, timeoutMs } from './deadlines.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('Deadlines', () => {
  it('tells a request when its time is over, once, and not when it was done before', () => {
    const deadlines = new Deadlines();
    const late = vi.fn();
    const done = vi.fn();
    deadlines.start('timeout=2s', late);
    deadlines.start('timeout=2s', done)();
    vi.advanceTimersByTime(1_900);
    expect(late).not.toHaveBeenCalled();
    vi.advanceTimersByTime(10_000);
    expect(late).toHaveBeenCalledOnce();
    expect(late.mock.calls[0]![0]).toMatchObject({ code: 504, reason: 'Timeout' });
    expect(done).not.toHaveBeenCalled();
    deadlines.close();
  });
});

describe('timeoutMs', () => {
  it.each([
    ['', 60_000],
    ['timeoutSeconds=5', 60_000],
    ['timeout=5s', 5_000],
    ['a=b&timeout=1m0s', 60_000],
    ['timeout=1500ms', 1_500],
    ['timeout=0s', 60_000],
    ['timeout=2h', 60_000],
    ['timeout=0', 60_000],
    ['timeout=-5s', 60_000],
    ['timeout=%2B.5m', 30_000],
    ['timeout=1s250ms500%C2%B5s', 1_250.5],
  ])('reads %j as %i', (query, expected) => {
    expect(timeoutMs(query)).toBe(expected);
  });

  it.each(['soon', '5', '5x', '1s2', '.s', 's', '--1s'])('refuses %j', (asked) => {
    expect(() => timeoutMs(`timeout=${asked}`)).toThrow(
      `invalid timeout specified in the request URL - time: invalid duration "${asked}"`,
    );
  });
});
