/**
 * When schedules come due: every moment at which a clock on the wall of the time zone shows what the schedule says. A
 * time that is skipped in spring never comes, one that comes twice in autumn is due twice, as in github.com/robfig/cron.
 */
import type { CronSchedule, FieldSchedule } from '@periplus/api';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Looks no further: there is no 31 February. */
const YEARS_MAX = 5;
/** By so much clocks are put forward or back at most, with something to spare. */
const SHIFT_MS_MAX = 3 * HOUR_MS;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    const numeric = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const;
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      era: 'short',
      ...numeric,
      second: 'numeric',
    });
    formats.set(zone, format);
  }
  return format;
}

/** What the clock on the wall shows, as if that were UTC; whole seconds. */
function wallMs(atMs: number, zone: string): number {
  if (zone === 'UTC') return Math.floor(atMs / SECOND_MS) * SECOND_MS;
  const shown: Record<string, number> = {};
  for (const { type, value } of formatOf(zone).formatToParts(atMs)) shown[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

const fitsDay = ({ days, weekdays, anyDayFits }: FieldSchedule, wall: Date): boolean => {
  const [day, weekday] = [days.has(wall.getUTCDate()), weekdays.has(wall.getUTCDay())];
  return anyDayFits ? day || weekday : day && weekday;
};

/** Close before the next midnight, or a month's end, but not past it, whatever clocks do. */
const upTo = (leftMs: number): number => (leftMs > SHIFT_MS_MAX + HOUR_MS ? leftMs - SHIFT_MS_MAX : 0);

/** How far from here the next fitting minute is at least; 0 when this one fits. `wall` is at a full minute. */
function strideMs(schedule: FieldSchedule, wall: Date): number {
  const [hour, minute] = [wall.getUTCHours(), wall.getUTCMinutes()];
  const toHourMs = HOUR_MS - minute * MINUTE_MS;
  const toMidnightMs = toHourMs + (23 - hour) * HOUR_MS;
  if (!schedule.months.has(wall.getUTCMonth() + 1)) {
    const lastDay = new Date(Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth() + 1, 0)).getUTCDate();
    const daysLeft = lastDay - wall.getUTCDate();
    return upTo(toMidnightMs + daysLeft * DAY_MS) || toHourMs;
  }
  if (!fitsDay(schedule, wall)) return upTo(toMidnightMs) || toHourMs;
  if (!schedule.hours.has(hour)) return toHourMs;
  return schedule.minutes.has(minute) ? 0 : MINUTE_MS;
}

/** The first time after `afterMs` at which a schedule is due; undefined when it never is again. */
export function nextTime(schedule: CronSchedule, zone: string, afterMs: number): number | undefined {
  if ('everyMs' in schedule) return Math.floor(afterMs / SECOND_MS) * SECOND_MS + schedule.everyMs;
  if (schedule.minutes.size * schedule.hours.size === 0) return undefined;
  const endMs = afterMs + YEARS_MAX * 366 * DAY_MS;
  for (let atMs = (Math.floor(afterMs / MINUTE_MS) + 1) * MINUTE_MS; atMs < endMs; ) {
    const stride = strideMs(schedule, new Date(wallMs(atMs, zone)));
    if (stride === 0) return atMs;
    atMs += stride;
  }
  return undefined;
}

/** The last time after `afterMs` and up to `nowMs` at which a schedule was due; undefined when it was not. */
export function latestTime(schedule: CronSchedule, zone: string, afterMs: number, nowMs: number): number | undefined {
  let dueMs = nextTime(schedule, zone, afterMs);
  if (dueMs === undefined || dueMs > nowMs) return undefined;
  if ('everyMs' in schedule) return dueMs + Math.floor((nowMs - dueMs) / schedule.everyMs) * schedule.everyMs;
  // After `quietMs` nothing is due any more.
  for (let quietMs = nowMs; quietMs - dueMs >= MINUTE_MS; ) {
    const middleMs = Math.floor((dueMs + quietMs) / 2);
    const nextMs = nextTime(schedule, zone, middleMs);
    if (nextMs !== undefined && nextMs <= nowMs) dueMs = nextMs;
    else quietMs = middleMs;
  }
  return dueMs;
}

/** `2026-03-01T09:00:00+01:00`: a moment as the clock on the wall shows it. */
export function formatInZone(atMs: number, zone: string): string {
  const shownMs = wallMs(atMs, zone);
  const text = new Date(shownMs).toISOString().slice(0, 19);
  const offsetMinutes = Math.round((shownMs - atMs) / MINUTE_MS);
  if (offsetMinutes === 0) return `${text}Z`;
  const two = (number: number): string => String(number).padStart(2, '0');
  const minutes = Math.abs(offsetMinutes);
  return `${text}${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
