import { type CronSchedule, parseSchedule } from '@periplus/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatInZone, latestTime, nextTime } from './schedule-times.ts';

const schedule = (text: string): CronSchedule => parseSchedule(text) as CronSchedule;
const ms = (text: string): number => Date.parse(text);

/** The next `count` times, as the clock on the wall shows them. */
function times(text: string, zone: string, from: string, count: number): (string | undefined)[] {
  const result: (string | undefined)[] = [];
  let atMs: number | undefined = ms(from);
  for (let i = 0; i < count && atMs !== undefined; i++) {
    atMs = nextTime(schedule(text), zone, atMs);
    result.push(atMs === undefined ? undefined : formatInZone(atMs, zone));
  }
  return result;
}

describe('a schedule comes due', () => {
  it.each<[string, string, string, string[]]>([
    ['*/15 * * * *', 'UTC', '2026-01-01T00:07:30Z', ['2026-01-01T00:15:00Z', '2026-01-01T00:30:00Z']],
    ['0 0 * * *', 'UTC', '2026-01-01T00:00:00Z', ['2026-01-02T00:00:00Z']],
    ['@hourly', 'UTC', '2026-01-01T00:59:59Z', ['2026-01-01T01:00:00Z']],
    ['@weekly', 'UTC', '2026-01-01T00:00:00Z', ['2026-01-04T00:00:00Z', '2026-01-11T00:00:00Z']],
    ['@monthly', 'UTC', '2026-01-15T00:00:00Z', ['2026-02-01T00:00:00Z']],
    ['@yearly', 'UTC', '2026-01-15T00:00:00Z', ['2027-01-01T00:00:00Z']],
    ['30 6-16/4 * * 1-5', 'UTC', '2026-01-02T11:00:00Z', ['2026-01-02T14:30:00Z', '2026-01-05T06:30:00Z']],
    // A day of the month or of the week, where both are said.
    ['0 0 13 * FRI', 'UTC', '2026-02-07T00:00:00Z', ['2026-02-13T00:00:00Z', '2026-02-20T00:00:00Z']],
    ['0 0 13 * FRI', 'UTC', '2026-01-09T00:00:00Z', ['2026-01-13T00:00:00Z', '2026-01-16T00:00:00Z']],
    // Both, where one is a star.
    ['0 0 */1 * MON', 'UTC', '2026-01-01T00:00:00Z', ['2026-01-05T00:00:00Z']],
    ['0 0 */2 * MON', 'UTC', '2026-01-01T00:00:00Z', ['2026-01-03T00:00:00Z', '2026-01-05T00:00:00Z']],
    ['0 0 29 2 *', 'UTC', '2026-01-01T00:00:00Z', ['2028-02-29T00:00:00Z']],
    ['59 23 31 2 *', 'UTC', '2026-01-01T00:00:00Z', []],
    ['0 0 , * *', 'UTC', '2026-01-01T00:00:00Z', []],
    ['@every 1h30m', 'UTC', '2026-01-01T00:00:07Z', ['2026-01-01T01:30:07Z', '2026-01-01T03:00:07Z']],
    ['0 9 * * *', 'Asia/Kolkata', '2026-01-01T00:00:00Z', ['2026-01-01T09:00:00+05:30']],
    // The clock goes from 2 to 3: half past two is skipped, and the other days keep their time.
    ['30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', ['2026-03-30T02:30:00+02:00']],
    ['30 3 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', ['2026-03-29T03:30:00+02:00']],
    // It goes from 3 back to 2: half past two comes twice.
    ['30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', ['2026-10-25T02:30:00+02:00', '2026-10-25T02:30:00+01:00']],
    // Midnight itself is skipped.
    ['0 0 * * *', 'America/Havana', '2026-03-07T12:00:00-05:00', ['2026-03-09T00:00:00-04:00']],
    ['30 1 * * *', 'America/Havana', '2026-03-07T12:00:00-05:00', ['2026-03-08T01:30:00-04:00']],
    // By half an hour.
    [
      '45 1 * * *',
      'Australia/Lord_Howe',
      '2026-04-04T12:00:00Z',
      ['2026-04-05T01:45:00+11:00', '2026-04-05T01:45:00+10:30'],
    ],
  ])('%s in %s after %s', (text, zone, from, expected) => {
    const found = times(text, zone, from, Math.max(1, expected.length));
    expect(found).toEqual(expected.length > 0 ? expected : [undefined]);
  });

  it('for the last time before now, wherever one starts to look', () => {
    const half = schedule('30 6-16/4 * * 1-5');
    // On a Sunday that was on Friday.
    expect(latestTime(half, 'UTC', ms('2026-01-01T00:00:00Z'), ms('2026-01-11T12:00:00Z'))).toBe(
      ms('2026-01-09T14:30:00Z'),
    );
    expect(latestTime(half, 'UTC', ms('2026-01-09T14:30:00Z'), ms('2026-01-11T12:00:00Z'))).toBeUndefined();
    const every = schedule('@every 40s');
    expect(latestTime(every, 'UTC', ms('2026-01-01T00:00:10Z'), ms('2026-01-01T00:02:20Z'))).toBe(
      ms('2026-01-01T00:02:10Z'),
    );
  });

  it('exactly when the clock on the wall shows what it says', () => {
    const texts = ['*/7 3-5 * * *', '15,45 */5 * * *', '0 12 1-7 * MON', '5 4 * 3,10 SUN', '0 0 31 * *'];
    const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe'];
    const start = ms('2026-01-01T00:00:00Z');
    const moment = fc.nat(525_600).map((minutes) => start + minutes * 60_000);
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.constantFrom(...zones), moment, (text, zone, fromMs) => {
        const parsed = schedule(text);
        if ('everyMs' in parsed) throw new Error('not of fields');
        const fits = (atMs: number): boolean => {
          const wall = new Date(`${formatInZone(atMs, zone).slice(0, 19)}Z`);
          const day = parsed.days.has(wall.getUTCDate());
          const weekday = parsed.weekdays.has(wall.getUTCDay());
          return (
            parsed.minutes.has(wall.getUTCMinutes()) &&
            parsed.hours.has(wall.getUTCHours()) &&
            parsed.months.has(wall.getUTCMonth() + 1) &&
            (parsed.anyDayFits ? day || weekday : day && weekday)
          );
        };
        const foundMs = nextTime(parsed, zone, fromMs) as number;
        expect(fits(foundMs)).toBe(true);
        // None between, as far as a day's minutes tell.
        for (let atMs = foundMs - 60_000; atMs > Math.max(fromMs, foundMs - 26 * 3_600_000); atMs -= 60_000) {
          if (fits(atMs)) throw new Error(`skipped ${formatInZone(atMs, zone)}`);
        }
        expect(latestTime(parsed, zone, fromMs, foundMs)).toBe(foundMs);
      }),
      { numRuns: 60 },
    );
  });
});
