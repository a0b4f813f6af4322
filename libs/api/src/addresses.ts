/** Rules for IP addresses beyond their form. */
import { isIPv4, isIPv6 } from 'node:net';
import { ipAddress, type NameRule } from '@periplus/apimachinery';

export const ipv4: NameRule = (text) => (isIPv4(text) ? [] : ['must be a valid IPv4 address']);
export const ipv6: NameRule = (text) => (isIPv6(text) && !text.includes('%') ? [] : ['must be a valid IPv6 address']);

/** Addresses that mean something else on every machine are no way to reach one. */
export function specialAddressProblems(address: string): readonly string[] {
  if (ipAddress(address).length > 0) return ['must be a valid IP address'];
  const text = address.toLowerCase();
  if (text === '0.0.0.0' || /^[0:]+$/.test(text)) return [`may not be unspecified (${address})`];
  if (text.startsWith('127.') || /^(0*:)+0*1$/.test(text)) {
    return ['may not be in the loopback range (127.0.0.0/8, ::1/128)'];
  }
  if (text.startsWith('169.254.') || /^fe[89ab][0-9a-f]:/.test(text)) {
    return ['may not be in the link-local range (169.254.0.0/16, fe80::/10)'];
  }
  if (text.startsWith('224.0.0.') || /^ff[0-9a-f]2:/.test(text)) {
    return ['may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'];
  }
  return [];
}
