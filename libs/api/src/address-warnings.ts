import { isIPv6 } from 'node:net';
import { cidr, type DeepReadonly, type FieldPath, ipAddress, isMapped } from '@periplus/apimachinery';
import { canonicalText } from './addresses.ts';
import { type Warnings, warn } from './field-rules.ts';
import { lenientAddress, lenientRange } from './lenient-addresses.ts';

type Balanced = DeepReadonly<{ status?: { loadBalancer?: { ingress?: { ip?: string }[] } } }>;

/** Of an address that is not written in the one way that all programs agree on. */
export function warnOfAddress(warnings: Warnings, at: FieldPath, text: string): void {
  const right = lenientAddress(text);
  if (right === undefined || right === text) return;
  if (ipAddress(text).length > 0) warn(warnings, at, `non-standard IP address "${text}" is invalid: use "${right}"`);
  else warn(warnings, at, `IPv6 address "${text}" should be in RFC 5952 canonical format ("${right}")`);
}

/** As `warnOfAddress`, and of a range that may be meant as an address in a range. */
export function warnOfRange(warnings: Warnings, at: FieldPath, text: string): void {
  const range = lenientRange(text);
  if (!range) return;
  const { address, network } = range;
  const isClear = network.startsWith(`${address}/`);
  if (!isClear) {
    const alone = `${address}/${isIPv6(address) ? 128 : 32}`;
    warn(warnings, at, `CIDR value "${text}" is ambiguous in this context (should be "${network}" or "${alone}"?)`);
  }
  const [given = '', bits] = text.split('/');
  if (cidr(text).length > 0 || isMapped(given)) {
    warn(warnings, at, `non-standard CIDR value "${text}" is invalid: use "${network}"`);
  } else if (isClear && isIPv6(given) && canonicalText(given) !== given) {
    const right = `${canonicalText(given)}/${bits}`;
    warn(warnings, at, `IPv6 CIDR value "${text}" should be in RFC 5952 canonical format ("${right}")`);
  }
}

/** Of where a Service or an Ingress can be reached from outside. */
export function warnOfBalancer(warnings: Warnings, at: FieldPath, { status }: Balanced): void {
  status?.loadBalancer?.ingress?.forEach(({ ip }, i) => {
    if (ip) warnOfAddress(warnings, at.child('status', 'loadBalancer').index('ingress', i), ip);
  });
}
