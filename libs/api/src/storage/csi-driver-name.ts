import { dns1123Subdomain, type FieldPath } from '@periplus/apimachinery';
import type { Errors } from '../field-rules.ts';

const LENGTH_MAX = 63;

/** The name of a driver, of volumes or of devices, where another object refers to it. */
export function checkDriverName(errors: Errors, at: FieldPath, name: string): void {
  if (!name) {
    errors.push(at.required());
    return;
  }
  if (name.length > LENGTH_MAX) errors.push(at.tooLong(LENGTH_MAX));
  for (const problem of dns1123Subdomain(name.toLowerCase())) errors.push(at.invalid(name, problem));
}
