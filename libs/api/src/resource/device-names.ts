/** What drivers, pools, devices and their properties may be called. */
import { cIdentifier, dns1123Label, dns1123Subdomain, type FieldPath, type NameRule } from '@periplus/apimachinery';
import type { Errors } from '../field-rules.ts';
import { checkDriverName } from '../storage/csi-driver-name.ts';
import { IDENTIFIER_LENGTH_MAX, POOL_LENGTH_MAX } from './limits.ts';

/** A name that must be there, by a rule that says so of an empty one. */
export function checkName(errors: Errors, at: FieldPath, name: string, rule: NameRule): void {
  for (const problem of rule(name)) errors.push(at.invalid(name, problem));
}

/** One or more DNS subdomains, with slashes between them. */
export function checkPoolName(errors: Errors, at: FieldPath, name: string): void {
  if (!name) {
    errors.push(at.required());
    return;
  }
  if (name.length > POOL_LENGTH_MAX) errors.push(at.tooLong(POOL_LENGTH_MAX));
  for (const part of name.split('/')) checkName(errors, at, part, dns1123Subdomain);
}

interface DeviceName {
  readonly driver: string;
  readonly pool: string;
  readonly device: string;
}

export function checkDevice(errors: Errors, at: FieldPath, { driver, pool, device }: DeviceName): void {
  checkDriverName(errors, at.child('driver'), driver);
  checkPoolName(errors, at.child('pool'), pool);
  checkName(errors, at.child('device'), device, dns1123Label);
}

function checkIdentifier(errors: Errors, at: FieldPath, identifier: string): void {
  if (identifier.length > IDENTIFIER_LENGTH_MAX) errors.push(at.tooLong(IDENTIFIER_LENGTH_MAX));
  checkName(errors, at, identifier, cIdentifier);
}

/** Of an attribute or a capacity: an identifier, which may have a domain in front. */
export function checkQualifiedName(errors: Errors, at: FieldPath, name: string): void {
  const [first = '', identifier, more] = name.split('/');
  if (identifier === undefined) checkIdentifier(errors, at, first);
  else if (more === undefined) {
    if (first === '') errors.push(at.invalid('', 'the domain must not be empty'));
    else checkDriverName(errors, at, first);
    if (identifier === '') errors.push(at.invalid('', 'the name must not be empty'));
    else checkIdentifier(errors, at, identifier);
  }
}

export function checkFullyQualifiedName(errors: Errors, at: FieldPath, name: string): void {
  checkQualifiedName(errors, at, name);
  if (!name.includes('/')) {
    errors.push(at.invalid(name, 'a fully qualified name must be a domain and a name separated by a slash'));
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const NORMALIZED =
  'uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters';

/** Of a share of a device. */
export function checkShareId(errors: Errors, at: FieldPath, uid: string | undefined): void {
  if (uid === undefined) return;
  if (uid.length !== 36) errors.push(at.invalid(uid, `error validating uid: invalid UUID length: ${uid.length}`));
  else if (!UUID.test(uid)) errors.push(at.invalid(uid, 'error validating uid: invalid UUID format'));
  else if (uid !== uid.toLowerCase()) errors.push(at.invalid(uid, NORMALIZED));
}
