/** What ConfigMaps and Secrets share: a bag of data of limited size, which may be frozen. */
import type { FieldPath } from '@periplus/apimachinery';
import { sameValue } from '../equality.ts';
import type { Errors } from '../field-rules.ts';

/** In all entries together. */
export const DATA_BYTES_MAX = 1024 * 1024;

/** The number of bytes that base64 text stands for. */
export function decodedLength(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return (base64.length / 4) * 3 - padding;
}

/** https://kubernetes.io/docs/concepts/configuration/configmap/#configmap-immutable */
export function checkFrozen<T extends { readonly immutable?: boolean }>(
  errors: Errors,
  at: FieldPath,
  now: T,
  old: T,
  fields: readonly (keyof T & string)[],
): void {
  if (!old.immutable) return;
  const detail = 'field is immutable when `immutable` is set';
  if (!now.immutable) errors.push(at.child('immutable').forbidden(detail));
  for (const field of fields) {
    if (!sameValue(now[field], old[field])) errors.push(at.child(field).forbidden(detail));
  }
}
