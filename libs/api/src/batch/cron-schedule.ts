/**
 * The syntax of a CronJob's schedule: five fields, or a word such as `@daily`. What it refuses, and how it says so, is
 * what github.com/robfig/cron does, by which Kubernetes reads schedules; libraries for cron in JavaScript read another
 * dialect. https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
 */
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
const DESCRIPTORS = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];
const EVERY = '@every ';
/** As Go writes durations: `1h30m`. */
const UNITS = ['ns', 'us', 'µs', 'μs', 'ms', 's', 'm', 'h'];

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

/** `*`, `?`, `5`, `1-5`, each perhaps with `/2`. */
function checkRange(text: string, field: Field): void {
  const [range = '', step, moreSteps] = text.split('/');
  const [low = '', high, moreBounds] = range.split('-');
  let [start, end] = [field.min, field.max];
  if (low !== '*' && low !== '?') {
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
}

function checkDuration(text: string, descriptor: string): void {
  const refuse = (why: string): never => {
    throw new ScheduleProblem(`failed to parse duration ${descriptor}: time: ${why} duration ${quoted(text)}`);
  };
  const unsigned = text.replace(/^[-+]/, '');
  if (unsigned === '0') return;
  if (unsigned === '') refuse('invalid');
  let rest = unsigned;
  while (rest !== '') {
    const [part, number = '', unit = ''] = /^(\d*\.?\d*)([^\d.]*)/.exec(rest) as RegExpExecArray;
    if (number === '' || number === '.') refuse('invalid');
    if (unit === '') refuse('missing unit in');
    if (!UNITS.includes(unit)) refuse(`unknown unit ${quoted(unit)} in`);
    rest = rest.slice(part.length);
  }
}

function checkDescriptor(text: string): void {
  if (DESCRIPTORS.includes(text)) return;
  if (!text.startsWith(EVERY)) throw new ScheduleProblem(`unrecognized descriptor: ${text}`);
  checkDuration(text.slice(EVERY.length), text);
}

function checkSchedule(text: string): void {
  if (text.startsWith('@')) {
    checkDescriptor(text);
    return;
  }
  const fields = text.split(/\s+/).filter(Boolean);
  if (fields.length !== FIELDS.length) {
    const found = `found ${fields.length}: [${fields.join(' ')}]`;
    throw new ScheduleProblem(`expected exactly ${FIELDS.length} fields, ${found}`);
  }
  fields.forEach((field, i) => {
    for (const range of field.split(',')) if (range !== '') checkRange(range, FIELDS[i]!);
  });
}

/** What is wrong with a schedule, in Kubernetes' words; undefined when it is fine. */
export function scheduleProblem(text: string): string | undefined {
  try {
    checkSchedule(text);
    return undefined;
  } catch (error) {
    if (error instanceof ScheduleProblem) return error.message;
    throw error;
  }
}
