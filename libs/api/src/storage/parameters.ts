/** Who makes volumes, and what he is told: StorageClass and VolumeAttributesClass. */
import { type DeepReadonly, type FieldPath, qualifiedName } from '@periplus/apimachinery';
import type { Errors } from '../field-rules.ts';

const PARAMETERS_MAX = 512;
/** Of all names and values together. */
const PARAMETERS_BYTES_MAX = 256 * 1024;

export function checkProvisioner(errors: Errors, at: FieldPath, field: string, name: string): void {
  if (!name) errors.push(at.child(field).required());
  else for (const problem of qualifiedName(name.toLowerCase())) errors.push(at.child(field).invalid(name, problem));
}

export function checkParameters(
  errors: Errors,
  at: FieldPath,
  parameters: DeepReadonly<Record<string, string>> | undefined,
): void {
  const entries = Object.entries(parameters ?? {});
  const place = at.child('parameters');
  if (entries.length > PARAMETERS_MAX) {
    errors.push(place.tooLong(PARAMETERS_MAX));
    return;
  }
  let bytes = 0;
  for (const [name, value] of entries) {
    if (name === '') errors.push(place.invalid(name, 'field can not be empty.'));
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  if (bytes > PARAMETERS_BYTES_MAX) errors.push(place.tooLong(PARAMETERS_BYTES_MAX));
}
