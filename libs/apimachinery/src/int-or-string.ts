import type { FieldError, FieldPath } from './field-error.ts';
import { percent } from './names.ts';
import { badRequest } from './status-error.ts';

/** A number, or a percentage of some total: `3` or `"25%"`. Named ports use it for names too. */
export type IntOrString = number | string;

const percentOf = (value: IntOrString): number | undefined =>
  typeof value === 'string' && /^[0-9]{1,9}%$/.test(value) ? Number(value.slice(0, -1)) : undefined;

/**
 * The number that `value` means when 100% is `total`. Throws BadRequest when a string is no percentage.
 * Surges round up and unavailability rounds down, so that a rolling update can always move.
 */
export function scaledValue(value: IntOrString, total: number, rounding: 'up' | 'down'): number {
  if (typeof value === 'number') return value;
  const share = percentOf(value);
  if (share === undefined) throw badRequest('invalid value for IntOrString: invalid type: string is not a percentage');
  const exact = (share * total) / 100;
  return rounding === 'up' ? Math.ceil(exact) : Math.floor(exact);
}

/** Numbers from 0 and percentages. */
export function validatePositiveIntOrPercent(value: IntOrString, path: FieldPath): FieldError[] {
  if (typeof value === 'string') return percent(value).map((problem) => path.invalid(value, problem));
  return value < 0 ? [path.invalid(value, 'must be greater than or equal to 0')] : [];
}

/** Numbers pass: only a percentage can be too large. */
export function validateAtMostHundredPercent(value: IntOrString, path: FieldPath): FieldError[] {
  const share = percentOf(value);
  return share !== undefined && share > 100 ? [path.invalid(value, 'must not be greater than 100%')] : [];
}
