/**
 * The syntax of a CronJob's schedule: five fields, or a word such as `@daily`. What it refuses, and how it says so, is
 * what github.com/robfig/cron does, by which Kubernetes reads schedules; libraries for cron in JavaScript read another
 * dialect. https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
 */
export type CronSchedule = ConstantSchedule | FieldSchedule;

/** Again and again after the same time, of whole seconds. */
interface ConstantSchedule {
  everyMs: number;
}

/** Minutes at which a clock on the wall shows what all fields allow. */
export interface FieldSchedule {
  minutes: ReadonlySet<number>;
  hours: ReadonlySet<number>;
  days: ReadonlySet<number>;
  months: ReadonlySet<number>;
  /** From 0, which is Sunday. */
  weekdays: ReadonlySet<number>;
  /** Where both days and weekdays are limited, a day has to fit one of them only. */
  anyDayFits: boolean;
}

class ScheduleProblem extends Error {}

interface Field {
  min: number;
  max: number;
  /** Words that stand for numbers from `min` on. */
  names: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS: readonly Field[] = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: MONTHS },
  { min: 0, max: 6, names: WEEKDAYS },
];
const DESCRIPTORS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const EVERY = '@every ';
const SECOND_MS = 1_000;
/** As Go writes durations, `1h30m`, in milliseconds. */
const UNITS: Readonly<Record<string, number>> = {
  ...{ ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: SECOND_MS, m: 60 * SECOND_MS, h: 3_600 * SECOND_MS },
};

const quoted = (text: string): string => JSON.stringify(text);

function numberOf(text: string): number {
  if (!/^[-+]?\d{1,15}$/.test(text)) {
    throw new ScheduleProblem(
      `failed to parse int from ${text}: strconv.Atoi: parsing ${quoted(text)}: invalid syntax`,
    );
  }
  const number = Number(text);
  if (number < 0) throw new ScheduleProblem(`negative number (${number}) not allowed: ${text}`);
  return number;
}

function numberOrName(text: string, { min, names }: Field): number {
  const position = names.indexOf(text.toLowerCase());
  return position >= 0 ? position + min : numberOf(text);
}

/** What a part of a field allows. */
interface Range {
  numbers: readonly number[];
  /** Says nothing: `*`. */
  isOpen: boolean;
}

/** `*`, `?`, `5`, `1-5`, each perhaps with `/2`. */
function parseRange(text: string, field: Field): Range {
  const [range = '', step, moreSteps] = text.split('/');
  const [low = '', high, moreBounds] = range.split('-');
  const isStar = low === '*' || low === '?';
  let [start, end] = [field.min, field.max];
  if (!isStar) {
    start = numberOrName(low, field);
    if (moreBounds !== undefined) throw new ScheduleProblem(`too many hyphens: ${text}`);
    end = high === undefined ? start : numberOrName(high, field);
  }
  if (moreSteps !== undefined) throw new ScheduleProblem(`too many slashes: ${text}`);
  const every = step === undefined ? 1 : numberOf(step);
  // From there on to the end.
  if (step !== undefined && high === undefined) end = field.max;
  const { min, max } = field;
  if (start < min) throw new ScheduleProblem(`beginning of range (${start}) below minimum (${min}): ${text}`);
  if (end > max) throw new ScheduleProblem(`end of range (${end}) above maximum (${max}): ${text}`);
  if (start > end) throw new ScheduleProblem(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (every === 0) throw new ScheduleProblem(`step of range should be a positive number: ${text}`);
  const count = Math.floor((end - start) / every) + 1;
  return { numbers: Array.from({ length: count }, (_, i) => start + i * every), isOpen: isStar && every === 1 };
}

/** Milliseconds. */
function parseDuration(text: string, descriptor: string): number {
  const refuse = (why: string): never => {
    throw new ScheduleProblem(`failed to parse duration ${descriptor}: time: ${why} duration ${quoted(text)}`);
  };
  const unsigned = text.replace(/^[-+]/, '');
  if (unsigned === '0') return 0;
  if (unsigned === '') refuse('invalid');
  let rest = unsigned;
  let ms = 0;
  while (rest !== '') {
    const [part, number = '', unit = ''] = /^(\d*\.?\d*)([^\d.]*)/.exec(rest) as RegExpExecArray;
    if (number === '' || number === '.') refuse('invalid');
    if (unit === '') refuse('missing unit in');
    if (!Object.hasOwn(UNITS, unit)) refuse(`unknown unit ${quoted(unit)} in`);
    ms += Number(number) * (UNITS[unit] ?? 0);
    rest = rest.slice(part.length);
  }
  return text.startsWith('-') ? -ms : ms;
}

function parseDescriptor(text: string): CronSchedule {
  const fields = Object.hasOwn(DESCRIPTORS, text) ? DESCRIPTORS[text] : undefined;
  if (fields !== undefined) return parse(fields);
  if (!text.startsWith(EVERY)) throw new ScheduleProblem(`unrecognized descriptor: ${text}`);
  const ms = parseDuration(text.slice(EVERY.length), text);
  return { everyMs: Math.max(SECOND_MS, Math.floor(ms / SECOND_MS) * SECOND_MS) };
}

function parse(text: string): CronSchedule {
  if (text.startsWith('@')) return parseDescriptor(text);
  const fields = text.split(/\s+/).filter(Boolean);
  if (fields.length !== FIELDS.length) {
    const found = `found ${fields.length}: [${fields.join(' ')}]`;
    throw new ScheduleProblem(`expected exactly ${FIELDS.length} fields, ${found}`);
  }
  const parsed = fields.map((field, i) => {
    const ranges = field.split(',').filter(Boolean);
    return ranges.map((range) => parseRange(range, FIELDS[i]!));
  });
  const [minutes, hours, days, months, weekdays] = parsed.map(
    (ranges) => new Set(ranges.flatMap(({ numbers }) => numbers)),
  ) as [Set<number>, Set<number>, Set<number>, Set<number>, Set<number>];
  const isOpen = (position: number): boolean => parsed[position]!.some((range) => range.isOpen);
  return { minutes, hours, days, months, weekdays, anyDayFits: !isOpen(2) && !isOpen(4) };
}

/** Reads a schedule; what is wrong with it, in Kubernetes' words, when it is none. */
export function parseSchedule(text: string): CronSchedule | string {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof ScheduleProblem) return error.message;
    throw error;
  }
}

/** What is wrong with a schedule, in Kubernetes' words; undefined when it is fine. */
export function scheduleProblem(text: string): string | undefined {
  const schedule = parseSchedule(text);
  return typeof schedule === 'string' ? schedule : undefined;
}
