/** The API's times are RFC 3339 in UTC: seconds in `Time`, microseconds in `MicroTime`. */
const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** Milliseconds since 1970 and the microseconds beyond them, or undefined for what is no time. */
function readTime(text: string): { ms: number; micros: number } | undefined {
  const parts = RFC3339.exec(text);
  if (!parts) return undefined;
  const number = (i: number): number => Number(parts[i] ?? 0);
  const [year, month, day, hour, minute, second] = [number(1), number(2), number(3), number(4), number(5), number(6)];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59 || number(9) > 23 || number(10) > 59) return undefined;
  const fraction = Number((parts[7] ?? '').padEnd(6, '0').slice(0, 6));
  const offset = (parts[8] === '-' ? -1 : 1) * (number(9) * 60 + number(10));
  const date = new Date(0);
  // Date.UTC would take the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(year, month - 1, day);
  const ms = date.setUTCHours(hour, minute - offset, second, Math.floor(fraction / 1000));
  return { ms, micros: fraction % 1000 };
}

const daysIn = (year: number, month: number): number => {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
};

/** Milliseconds since 1970, or undefined when `text` is no RFC 3339 time. */
export const parseTime = (text: string): number | undefined => readTime(text)?.ms;

/** `2026-11-21T10:00:00Z`; parts of a second are dropped. */
export const formatTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, -5)}Z`;

/** `2026-11-21T10:00:00.123456Z`. `micros` (0 to 999) are those beyond the whole milliseconds. */
export const formatMicroTime = (ms: number, micros = 0): string =>
  `${new Date(ms).toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}Z`;

/** The form that Kubernetes stores, or undefined when `text` is no RFC 3339 time. */
export function canonicalTime(text: string, precision: 'seconds' | 'micros'): string | undefined {
  const time = readTime(text);
  if (!time) return undefined;
  return precision === 'seconds' ? formatTime(time.ms) : formatMicroTime(time.ms, time.micros);
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** An amount of two units, the second one left out when it is zero: `5d3h`, `5d`. */
function twoUnits(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)}${largeName}${rest > 0 ? `${rest}${smallName}` : ''}`;
}

/**
 * An age as kubectl prints it, with two or three digits of precision: `42s`, `5m10s`, `3h`, `5d3h`, `2y40d`.
 * A clock that is ahead by up to two seconds shows as `0s`, by more as `<invalid>`.
 */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / SECOND);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (ms < 2 * MINUTE) return `${seconds}s`;
  if (ms < 10 * MINUTE) return twoUnits(ms, MINUTE, 'm', SECOND, 's');
  if (ms < 3 * HOUR) return `${Math.floor(ms / MINUTE)}m`;
  if (ms < 8 * HOUR) return twoUnits(ms, HOUR, 'h', MINUTE, 'm');
  if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)}h`;
  if (ms < 8 * DAY) return twoUnits(ms, DAY, 'd', HOUR, 'h');
  if (ms < 2 * YEAR) return `${Math.floor(ms / DAY)}d`;
  if (ms < 8 * YEAR) return twoUnits(ms, YEAR, 'y', DAY, 'd');
  return `${Math.floor(ms / YEAR)}y`;
}

/** How long ago `timestamp` was, as kubectl prints it; `<unknown>` without one. */
export function ageOf(timestamp: string | undefined, nowMs: number): string {
  const ms = timestamp === undefined ? undefined : parseTime(timestamp);
  return ms === undefined ? '<unknown>' : humanDuration(nowMs - ms);
}
