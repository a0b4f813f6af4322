/** Rules that any field may have. Each adds to `errors`; paths are made only when something is wrong. */
import { type FieldError, type FieldPath, type NameRule, parseQuantity } from '@periplus/apimachinery';
import { sameValue } from './equality.ts';

export type Errors = FieldError[];
/** What the client is told about an object that is stored all the same. */
export type Warnings = string[];

/** Of one object; a client is shown less. */
const WARNINGS_MAX = 256;

const ID_MAX = 2 ** 31 - 1;

export function warn(warnings: Warnings, at: FieldPath, text: string): void {
  if (warnings.length < WARNINGS_MAX) warnings.push(`${at.text}: ${text}`);
}

/** Of what does not stand in one place. */
export function warnOnce(warnings: Warnings, text: string): void {
  if (warnings.length < WARNINGS_MAX && !warnings.includes(text)) warnings.push(text);
}

/** A text that may be absent but must otherwise obey `rule`. */
export function checkText(
  errors: Errors,
  at: FieldPath,
  field: string,
  text: string | undefined,
  rule: NameRule,
): void {
  if (!text) return;
  for (const problem of rule(text)) errors.push(at.child(field).invalid(text, problem));
}

/** `rule`, but for what was there before: an update need not mend what was right once. */
export const unlessKept =
  (rule: NameRule, kept: readonly (string | undefined)[] = []): NameRule =>
  (text) =>
    kept.includes(text) ? [] : rule(text);

export function checkRequiredText(
  errors: Errors,
  at: FieldPath,
  field: string,
  text: string | undefined,
  rule: NameRule,
): void {
  if (text) checkText(errors, at, field, text, rule);
  else errors.push(at.child(field).required());
}

export function checkRequired(errors: Errors, at: FieldPath, field: string, value: unknown): void {
  if (value === undefined || value === null || value === '') errors.push(at.child(field).required());
}

export function checkOneOf(
  errors: Errors,
  at: FieldPath,
  field: string,
  value: string | undefined,
  supported: readonly string[],
): void {
  if (!value) errors.push(at.child(field).required());
  else if (!supported.includes(value)) errors.push(at.child(field).notSupported(value, supported));
}

export function checkOptionalOneOf(
  errors: Errors,
  at: FieldPath,
  field: string,
  value: string | undefined,
  supported: readonly string[],
): void {
  if (value !== undefined && !supported.includes(value)) errors.push(at.child(field).notSupported(value, supported));
}

export function checkNonNegative(errors: Errors, at: FieldPath, field: string, value: number | undefined): void {
  if (value !== undefined && value < 0) {
    errors.push(at.child(field).invalid(value, 'must be greater than or equal to 0'));
  }
}

export function checkNonNegativeQuantity(errors: Errors, at: FieldPath, quantity: string | number): void {
  const amount = parseQuantity(quantity);
  if (amount.value() < 0) errors.push(at.invalid(amount.toString(), 'must be greater than or equal to 0'));
}

/** Users and groups: what a Linux uid_t holds without its sign. */
export function checkId(errors: Errors, at: FieldPath, field: string, id: number | undefined): void {
  if (id !== undefined && (id < 0 || id > ID_MAX)) {
    errors.push(at.child(field).invalid(id, `must be between 0 and ${ID_MAX}, inclusive`));
  }
}

export function checkImmutable(errors: Errors, at: FieldPath, field: string, now: unknown, old: unknown): void {
  if (!sameValue(now, old)) errors.push(at.child(field).invalid(now, 'field is immutable'));
}
