import { type Extent, SCALAR } from './extent.ts';

interface Called {
  readonly cost: number;
  readonly extent: Extent;
}
type CostFunction = (...operands: Extent[]) => Called;

const TRAVERSAL_COST = 0.1;
/** Of a character of a regular expression, for each tenth of the text. */
const PATTERN_COST = 0.25;
/** Numbers and times as text. */
const PRINTED_MAX = 64;

const text = (length: number): Extent => ({ length, item: null });
const texts = (length: number, each: number): Extent => ({ length, item: text(each) });

const step: CostFunction = () => ({ cost: 1, extent: SCALAR });
/** Looks at the whole of its first operand, and keeps of it what it likes. */
const traversal: CostFunction = (whole) => ({ cost: 1 + whole.length * TRAVERSAL_COST, extent: whole });
const parsing: CostFunction = (whole) => ({ cost: 1 + whole.length * TRAVERSAL_COST, extent: SCALAR });
const search: CostFunction = (whole, part = SCALAR) => ({
  cost: 1 + whole.length * part.length * TRAVERSAL_COST,
  extent: SCALAR,
});
const matching = (whole: Extent, pattern: Extent): number =>
  1 + (whole.length + 1) * TRAVERSAL_COST * pattern.length * PATTERN_COST;
/** Of a list: each element with each other's characters. */
const pass: CostFunction = ({ length, item }) => ({
  cost: 1 + length * (1 + (item?.length ?? 1) * TRAVERSAL_COST),
  extent: item ?? SCALAR,
});
const product: CostFunction = (_sets, one = SCALAR, other = SCALAR) => ({
  cost: 1 + one.length * other.length * (1 + Math.min(one.item?.length ?? 1, other.item?.length ?? 1) * TRAVERSAL_COST),
  extent: SCALAR,
});
const same: CostFunction = (operand = SCALAR) => ({ cost: 1, extent: operand });

/** All functions that may be called, by name: what has no entry here is not there. */
const FUNCTIONS: Readonly<Record<string, CostFunction>> = {
  // The language.
  bool: step,
  bytes: traversal,
  double: parsing,
  duration: parsing,
  dyn: same,
  has: () => ({ cost: 0, extent: SCALAR }),
  int: parsing,
  size: step,
  string: ({ length }) => ({ cost: 1 + length * TRAVERSAL_COST, extent: text(Math.max(length, PRINTED_MAX)) }),
  timestamp: parsing,
  type: step,
  uint: parsing,
  contains: (one = SCALAR, ...more) => (more.length > 1 ? product(one, ...more) : search(one, ...more)),
  endsWith: parsing,
  matches: (whole = SCALAR, pattern = SCALAR) => ({ cost: matching(whole, pattern), extent: SCALAR }),
  startsWith: parsing,
  ...Object.fromEntries(
    [
      'Date',
      'DayOfMonth',
      'DayOfWeek',
      'DayOfYear',
      'FullYear',
      'Hours',
      'Milliseconds',
      'Minutes',
      'Month',
      'Seconds',
    ].map((part) => [`get${part}`, step]),
  ),
  // Optional values.
  hasValue: step,
  none: step,
  of: (_optional, value = SCALAR) => same(value),
  ofNonZeroValue: (_optional, value = SCALAR) => same(value),
  or: same,
  orValue: (one = SCALAR, other = SCALAR) => same(one.length > other.length ? one : other),
  value: same,
  // Strings.
  charAt: parsing,
  indexOf: (one = SCALAR, ...more) => (one.item ? pass(one) : search(one, ...more)),
  join: ({ length, item }, between = SCALAR) => {
    const joined = length * ((item?.length ?? 1) + between.length);
    return { cost: 1 + joined * 2 * TRAVERSAL_COST, extent: text(joined) };
  },
  lastIndexOf: (one = SCALAR, ...more) => (one.item ? pass(one) : search(one, ...more)),
  lowerAscii: traversal,
  replace: (whole, old = SCALAR, by = SCALAR) => {
    const length = whole.length + (whole.length + 1) * by.length;
    return { cost: 1 + (whole.length * old.length + length) * TRAVERSAL_COST, extent: text(length) };
  },
  split: ({ length }, by = SCALAR) => ({
    cost: 1 + length * (1 + by.length) * TRAVERSAL_COST,
    extent: texts(length + 1, length),
  }),
  substring: traversal,
  trim: traversal,
  upperAscii: traversal,
  // Lists and sets.
  equivalent: product,
  intersects: product,
  isSorted: (list) => ({ ...pass(list), extent: SCALAR }),
  distinct: (list) => ({ ...product(SCALAR, list, list), extent: list }),
  max: pass,
  min: pass,
  reverse: (list) => ({ ...pass(list), extent: list }),
  slice: (list) => ({ ...pass(list), extent: list }),
  sort: (list) => ({ ...product(SCALAR, list, list), extent: list }),
  sum: pass,
  // Regular expressions.
  find: (whole, pattern = SCALAR) => ({ cost: matching(whole, pattern), extent: whole }),
  findAll: (whole, pattern = SCALAR) => ({
    cost: matching(whole, pattern),
    extent: texts(whole.length + 1, whole.length),
  }),
  // Quantities and versions.
  isQuantity: parsing,
  isSemver: parsing,
  quantity: parsing,
  semver: parsing,
  ...Object.fromEntries(
    [
      'add',
      'asApproximateFloat',
      'asInteger',
      'compareTo',
      'isGreaterThan',
      'isInteger',
      'isLessThan',
      'major',
      'minor',
      'patch',
      'sign',
      'sub',
    ].map((name) => [name, step]),
  ),
};

export const isFunction = (name: string): boolean => Object.hasOwn(FUNCTIONS, name);

/** What a call costs beside its operands, the receiver first, and how large its result may be. */
export function functionCost(name: string, operands: readonly Extent[]): Called {
  const [first = SCALAR, ...rest] = operands;
  return (FUNCTIONS[name] ?? step)(first, ...rest);
}
