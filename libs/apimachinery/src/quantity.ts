import { badRequest } from './status-error.ts';

/** How a quantity was written, and so how it is printed. */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/** The finest quantity is one nano; smaller ones are rounded up to it. */
const NANO_DIGITS = 9;
const NANO = 10n ** 9n;
const MILLI = 10n ** 6n;
/** Binary quantities are capped at the largest 64-bit integer. */
const BINARY_MAX = (2n ** 63n - 1n) * NANO;
/** Longer texts and larger exponents are refused, so that a hostile quantity cannot cost much. */
const TEXT_LENGTH_MAX = 256;
const EXPONENT_MAX = 256;

const DECIMAL_SUFFIXES: Record<string, number> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const BINARY_SUFFIXES: Record<string, bigint> = {
  Ki: 2n ** 10n,
  Mi: 2n ** 20n,
  Gi: 2n ** 30n,
  Ti: 2n ** 40n,
  Pi: 2n ** 50n,
  Ei: 2n ** 60n,
};
const DECIMAL_SUFFIX_OF = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const BINARY_SUFFIX_OF = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

const WRONG_FORMAT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const WRONG_NUMBER = 'unable to parse numeric part of quantity';
const WRONG_SUFFIX = "unable to parse quantity's suffix";

/**
 * An exact amount: `100m` CPUs, `1536Mi` bytes. Immutable. Prints in Kubernetes' canonical form: no precision
 * lost, no fraction digits, the largest suffix that allows that.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
export class Quantity {
  static readonly zero = new Quantity(0n, 'DecimalSI');

  /** In units of 10^-9. */
  readonly nano: bigint;
  readonly format: QuantityFormat;
  #text: string | undefined;

  constructor(nano: bigint, format: QuantityFormat) {
    this.nano = nano;
    this.format = format;
  }

  static ofInteger(value: number, format: QuantityFormat = 'DecimalSI'): Quantity {
    return new Quantity(BigInt(value) * NANO, format);
  }

  static ofMilli(value: number, format: QuantityFormat = 'DecimalSI'): Quantity {
    return new Quantity(BigInt(value) * MILLI, format);
  }

  get isZero(): boolean {
    return this.nano === 0n;
  }

  /** -1, 0 or 1, for sort. */
  compare(other: Quantity): number {
    return this.nano < other.nano ? -1 : this.nano > other.nano ? 1 : 0;
  }

  /** A zero takes over the other's format, so that sums may start from `Quantity.zero`. */
  add(other: Quantity): Quantity {
    return new Quantity(this.nano + other.nano, this.isZero ? other.format : this.format);
  }

  subtract(other: Quantity): Quantity {
    return new Quantity(this.nano - other.nano, this.isZero ? other.format : this.format);
  }

  /** In whole units, rounded away from zero. Beyond 2^53 the nearest double. */
  value(): number {
    return Number(dividedUp(this.nano, NANO));
  }

  /** In thousandths, rounded away from zero. Beyond 2^53 the nearest double. */
  milliValue(): number {
    return Number(dividedUp(this.nano, MILLI));
  }

  toString(): string {
    this.#text ??= printed(this.nano, this.format);
    return this.#text;
  }

  toJSON(): string {
    return this.toString();
  }
}

function dividedUp(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  if (quotient * divisor === dividend) return quotient;
  return dividend > 0n ? quotient + 1n : quotient - 1n;
}

function printed(nano: bigint, format: QuantityFormat): string {
  if (nano === 0n) return '0';
  if (format === 'BinarySI') {
    const whole = nano / NANO;
    // What is small or has a fraction prints as decimal, so that nothing is rounded.
    if (whole * NANO === nano && (whole >= 1024n || whole <= -1024n)) return printedBinary(whole);
  }
  return printedDecimal(nano, format === 'DecimalExponent');
}

function printedBinary(whole: bigint): string {
  let mantissa = whole;
  let power = 0;
  while (mantissa % 1024n === 0n && power < BINARY_SUFFIX_OF.length - 1) {
    mantissa /= 1024n;
    power++;
  }
  return `${mantissa}${BINARY_SUFFIX_OF[power]}`;
}

function printedDecimal(nano: bigint, withExponent: boolean): string {
  const powerMax = withExponent ? Number.MAX_SAFE_INTEGER : DECIMAL_SUFFIX_OF.length - 1;
  let mantissa = nano;
  let power = 0;
  while (mantissa % 1000n === 0n && power < powerMax) {
    mantissa /= 1000n;
    power++;
  }
  if (!withExponent) return `${mantissa}${DECIMAL_SUFFIX_OF[power]}`;
  const exponent = power * 3 - NANO_DIGITS;
  return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`;
}

const PARTS = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/;

/** The quantity that `text` means, or what is wrong with it, in Kubernetes' words. */
function read(text: string): Quantity | string {
  const parts = text.length > 0 && text.length <= TEXT_LENGTH_MAX ? PARTS.exec(text) : null;
  if (!parts) return WRONG_FORMAT;
  const [, sign = '', whole = '', fraction = '', suffix = ''] = parts;
  if (whole === '' && fraction === '') return text.includes('.') || suffix === '' ? WRONG_NUMBER : WRONG_FORMAT;
  const digits = BigInt(whole + fraction);
  const amount = scaled(digits, fraction.length, suffix);
  if (amount === undefined) return WRONG_SUFFIX;
  return sign === '-' ? new Quantity(-amount.nano, amount.format) : amount;
}

function scaled(digits: bigint, fractionDigits: number, suffix: string): Quantity | undefined {
  const binary = Object.hasOwn(BINARY_SUFFIXES, suffix) ? BINARY_SUFFIXES[suffix] : undefined;
  if (binary !== undefined) {
    const nano = atPowerOfTen(digits * binary, NANO_DIGITS - fractionDigits);
    if (nano > 0n && nano < NANO) return new Quantity(nano, 'DecimalSI');
    return new Quantity(nano > BINARY_MAX ? BINARY_MAX : nano, 'BinarySI');
  }
  const decimal = Object.hasOwn(DECIMAL_SUFFIXES, suffix) ? DECIMAL_SUFFIXES[suffix] : undefined;
  if (decimal !== undefined)
    return new Quantity(atPowerOfTen(digits, NANO_DIGITS - fractionDigits + decimal), 'DecimalSI');
  if (!/^[eE][-+]?[0-9]+$/.test(suffix)) return undefined;
  const exponent = Number(suffix.slice(1));
  if (Math.abs(exponent) > EXPONENT_MAX) return undefined;
  return new Quantity(atPowerOfTen(digits, NANO_DIGITS - fractionDigits + exponent), 'DecimalExponent');
}

/** `digits * 10^power`, rounded up to an integer. */
const atPowerOfTen = (digits: bigint, power: number): bigint =>
  power >= 0 ? digits * 10n ** BigInt(power) : dividedUp(digits, 10n ** BigInt(-power));

/** The same few texts come again and again; when there are too many different ones the memory starts over. */
const KNOWN_MAX = 4096;
const known = new Map<string, Quantity>();

function lookUp(text: string): Quantity | string {
  const found = known.get(text);
  if (found) return found;
  const quantity = read(text);
  if (typeof quantity === 'string') return quantity;
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(text, quantity);
  return quantity;
}

/** Parses the text or JSON number of a quantity. Throws BadRequest. */
export function parseQuantity(text: string | number): Quantity {
  const quantity = lookUp(String(text).trim());
  if (typeof quantity === 'string') throw badRequest(quantity);
  return quantity;
}

/** What is wrong with the text of a quantity, in Kubernetes' words; undefined when nothing is. */
export function quantityProblem(text: string | number): string | undefined {
  const quantity = lookUp(String(text).trim());
  return typeof quantity === 'string' ? quantity : undefined;
}
