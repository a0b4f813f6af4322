import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ageOf, canonicalTime, formatMicroTime, formatTime, humanDuration, parseTime } from './time.ts';

describe('a time', () => {
  test.each([
    ['2026-11-21T10:00:00Z', '2026-11-21T10:00:00Z', '2026-11-21T10:00:00.000000Z'],
    ['2026-11-21T10:00:00.1234567Z', '2026-11-21T10:00:00Z', '2026-11-21T10:00:00.123456Z'],
    ['2026-11-21T10:00:00.5Z', '2026-11-21T10:00:00Z', '2026-11-21T10:00:00.500000Z'],
    ['2026-11-21T00:30:00+02:30', '2026-11-20T22:00:00Z', '2026-11-20T22:00:00.000000Z'],
    ['2024-02-29T23:59:59-00:01', '2024-03-01T00:00:59Z', '2024-03-01T00:00:59.000000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000000Z'],
  ])('%s is read', (text, seconds, micros) => {
    expect(canonicalTime(text, 'seconds')).toBe(seconds);
    expect(canonicalTime(text, 'micros')).toBe(micros);
  });

  test.each([
    '',
    'today',
    '2026-11-21',
    '2026-11-21T10:00:00',
    '2026-11-21 10:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-02-00T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-11-21T24:00:00Z',
    '2026-11-21T10:60:00Z',
    '2026-11-21T10:00:60Z',
    '2026-11-21T10:00:00+24:00',
    '2026-11-21t10:00:00z',
  ])('%j is none', (text) => {
    expect(parseTime(text)).toBeUndefined();
    expect(canonicalTime(text, 'seconds')).toBeUndefined();
  });

  test('survives printing and parsing', () => {
    const ms = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) });
    fc.assert(
      fc.property(ms, fc.integer({ min: 0, max: 999 }), (time, micros) => {
        expect(parseTime(formatTime(time))).toBe(Math.floor(time / 1000) * 1000);
        expect(parseTime(formatMicroTime(time, micros))).toBe(time);
        expect(canonicalTime(formatMicroTime(time, micros), 'micros')).toBe(formatMicroTime(time, micros));
      }),
    );
  });
});

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;

test.each([
  [-3 * S, '<invalid>'],
  [-1500, '0s'],
  [0, '0s'],
  [S - 1, '0s'],
  [119 * S, '119s'],
  [2 * M, '2m'],
  [2 * M + S, '2m1s'],
  [9 * M + 59 * S, '9m59s'],
  [10 * M + 59 * S, '10m'],
  [179 * M, '179m'],
  [3 * H, '3h'],
  [7 * H + 59 * M, '7h59m'],
  [8 * H + 59 * M, '8h'],
  [47 * H, '47h'],
  [2 * D, '2d'],
  [5 * D + 3 * H, '5d3h'],
  [8 * D + 3 * H, '8d'],
  [729 * D, '729d'],
  [730 * D, '2y'],
  [770 * D, '2y40d'],
  [8 * 365 * D + 300 * D, '8y'],
])('%i ms are %s', (ms, text) => {
  expect(humanDuration(ms)).toBe(text);
});

test('an age needs a timestamp', () => {
  expect(ageOf('2026-11-21T10:00:00Z', Date.UTC(2026, 10, 21, 10, 0, 42))).toBe('42s');
  expect(ageOf(undefined, 0)).toBe('<unknown>');
});
