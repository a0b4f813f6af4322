/** Addresses and ranges as programs of old read them, who may still mean them: in the form that is right today. */
import { isIPv4, isIPv6 } from 'node:net';
import { isMapped, withoutZerosInFront } from '@periplus/apimachinery';
import { addressRange, addressText, canonicalText } from './addresses.ts';

const IPV4_BITS = 32;
/** What stands in front of an address of IPv4 in one of IPv6. */
const MAPPED_BITS = 96;

/** Zeros in front say nothing, and a mapped address is the one of IPv4. Undefined for what is no address. */
export function lenientAddress(text: string): string | undefined {
  const plain = withoutZerosInFront(text);
  if (isIPv4(plain)) return plain;
  if (!isIPv6(text) || text.includes('%')) return undefined;
  if (!isMapped(text)) return canonicalText(text);
  const number = addressRange(`${text}/128`)!.first;
  return addressText(number & ((1n << BigInt(IPV4_BITS)) - 1n), false);
}

export interface LenientRange {
  /** `10.1.2.3` of `10.1.2.3/8`. */
  address: string;
  /** `10.0.0.0/8`. */
  network: string;
}

/** Undefined for what is no range. */
export function lenientRange(text: string): LenientRange | undefined {
  const [given = '', length = ''] = withoutZerosInFront(text).split('/');
  const address = lenientAddress(given);
  if (address === undefined) return undefined;
  const bits = isMapped(given) ? Number(length) - MAPPED_BITS : length;
  const range = addressRange(`${address}/${bits}`);
  return range && { address, network: `${addressText(range.first, range.isV6)}/${range.bits}` };
}
