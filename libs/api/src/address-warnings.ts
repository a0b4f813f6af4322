import { isIPv6 } from 'node:net';
import type { FieldPath } from '@periplus/apimachinery';
import { canonicalText } from './addresses.ts';
import { type Warnings, warn } from './field-rules.ts';

/** Of a valid address or range (`what`) of IPv6 that is not written in the one way that all programs agree on. */
function warnOfForm(warnings: Warnings, at: FieldPath, text: string, what: string): void {
  const [address = '', bits] = text.split('/');
  if (!isIPv6(address)) return;
  const right = canonicalText(address) + (bits === undefined ? '' : `/${bits}`);
  if (right !== text) warn(warnings, at, `${what} "${text}" should be in RFC 5952 canonical format ("${right}")`);
}

export const warnOfAddress = (warnings: Warnings, at: FieldPath, address: string): void =>
  warnOfForm(warnings, at, address, 'IPv6 address');

export const warnOfRange = (warnings: Warnings, at: FieldPath, range: string): void =>
  warnOfForm(warnings, at, range, 'IPv6 CIDR value');
