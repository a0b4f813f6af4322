import type { FieldPath } from '@periplus/apimachinery';
import type { Errors } from '../field-rules.ts';

type CheckItem<T> = (errors: Errors, at: FieldPath, item: T) => void;

/** A list of at most `max` items. Of one that is longer no item is looked at. */
export function checkList<T>(
  errors: Errors,
  at: FieldPath,
  field: string,
  items: readonly T[] | undefined,
  max: number,
  check: CheckItem<T>,
): void {
  if (!items) return;
  if (items.length > max) {
    errors.push(at.child(field).tooMany(items.length, max));
    return;
  }
  items.forEach((item, i) => {
    check(errors, at.index(field, i), item);
  });
}

/** The same, of items that are all different. `shown` is what the error says about one that comes again. */
export function checkUniqueList<T>(
  errors: Errors,
  at: FieldPath,
  field: string,
  items: readonly T[] | undefined,
  max: number,
  keyOf: (item: T) => string,
  check: CheckItem<T>,
): void {
  checkList(errors, at, field, items, max, check);
  if (!items || items.length > max) return;
  const seen = new Set<string>();
  items.forEach((item, i) => {
    const key = keyOf(item);
    if (seen.has(key)) errors.push(at.index(field, i).duplicate(key));
    seen.add(key);
  });
}

export const itself = (item: string): string => item;
