/** What only a driver understands. */
import type { DeepReadonly, FieldPath } from '@periplus/apimachinery';
import type { IOpaqueDeviceConfiguration } from 'kubernetes-models/resource.k8s.io/v1/OpaqueDeviceConfiguration';
import type { Errors } from '../field-rules.ts';
import { checkDriverName } from '../storage/csi-driver-name.ts';
import { OPAQUE_BYTES_MAX } from './limits.ts';

/** An object of whatever form, but not of whatever size. */
export function checkOpaque(errors: Errors, at: FieldPath, value: unknown): void {
  if (value === undefined || value === null) errors.push(at.required());
  else if (Buffer.byteLength(JSON.stringify(value)) > OPAQUE_BYTES_MAX) errors.push(at.tooLong(OPAQUE_BYTES_MAX));
  else if (typeof value !== 'object' || Array.isArray(value)) {
    errors.push(at.invalid('<value omitted>', 'must be a valid JSON object'));
  }
}

interface Configuration {
  readonly opaque?: DeepReadonly<IOpaqueDeviceConfiguration>;
}

export function checkConfiguration(errors: Errors, at: FieldPath, { opaque }: Configuration): void {
  const place = at.child('opaque');
  if (!opaque) {
    errors.push(place.required());
    return;
  }
  checkDriverName(errors, place.child('driver'), opaque.driver);
  checkOpaque(errors, place.child('parameters'), opaque.parameters);
}
