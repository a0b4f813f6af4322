/** Addresses and ranges as numbers, and the one way to write them. */
import { isIPv4, isIPv6 } from 'node:net';
import { cidr, ipAddress, isMapped } from '@periplus/apimachinery';

const IPV6_GROUPS = 8;

/** The number that an address stands for; 0 for what is none. */
function numberOf(address: string): bigint {
  if (isIPv4(address)) return BigInt(`0x${Buffer.from(address.split('.').map(Number)).toString('hex')}`);
  const [head = '', tail] = canonicalText(address).split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const before = groups(head);
  const after = groups(tail ?? '');
  const gap = Array<string>(IPV6_GROUPS - before.length - after.length).fill('0');
  return BigInt(`0x${[...before, ...gap, ...after].map((group) => group.padStart(4, '0')).join('')}`);
}

/** The one way to write an address that is right. https://www.rfc-editor.org/rfc/rfc5952 */
export const canonicalText = (address: string): string =>
  isIPv6(address) ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;

interface Network {
  isV6: boolean;
  bits: number;
  address: bigint;
  /** What the network's prefix says, without the rest. */
  prefix(bits: number): bigint;
}

function networkOf(range: string): Network {
  const [address = '', bits = ''] = range.split('/');
  const number = numberOf(address);
  const width = isIPv6(address) ? 128 : 32;
  return {
    isV6: width === 128,
    bits: Number(bits),
    address: number,
    prefix: (length) => number >> BigInt(width - length),
  };
}

/** The numbers of the addresses of a range: from `first` on, up to `behind`, which is none of them. */
export interface AddressRange {
  isV6: boolean;
  /** The length of the prefix. */
  bits: number;
  first: bigint;
  behind: bigint;
}

/** Undefined for what is no range. */
export function addressRange(text: string): AddressRange | undefined {
  if (cidr(text).length > 0) return undefined;
  const { isV6, bits, prefix } = networkOf(text);
  const free = BigInt((isV6 ? 128 : 32) - bits);
  const first = prefix(bits) << free;
  return { isV6, bits, first, behind: first + (1n << free) };
}

/** The address that a number stands for, in canonical form. */
export function addressText(number: bigint, isV6: boolean): string {
  const digits = number.toString(16).padStart(isV6 ? 32 : 8, '0');
  if (!isV6) return [...Buffer.from(digits, 'hex')].join('.');
  return canonicalText(digits.replace(/.{4}(?!$)/g, '$&:'));
}

export const isIpv6Range = (range: string): boolean => range.includes(':');

/** Whether `inner` is a part of `outer` and not all of it. Both must be ranges. */
export function isStrictSubset(inner: string, outer: string): boolean {
  const [one, other] = [networkOf(inner), networkOf(outer)];
  return one.isV6 === other.isV6 && one.bits > other.bits && one.prefix(other.bits) === other.prefix(other.bits);
}

/** Whether `address` may be taken from `range`: its first names the network and, of IPv4, its last is everybody's. */
export function isInRange(address: string, range: string): boolean {
  const found = addressRange(range);
  if (!found || found.isV6 !== isIPv6(address)) return false;
  const number = numberOf(address);
  return number > found.first && number < found.behind - (found.isV6 ? 0n : 1n);
}

/** Addresses of new kinds are written in one way only. */
export function canonicalAddress(text: string): readonly string[] {
  const problems = ipAddress(text);
  if (problems.length > 0) return problems;
  return canonicalText(text) === text ? [] : [`must be in canonical form (${JSON.stringify(canonicalText(text))})`];
}

/** A range that means the same to all programs: nothing is said beyond the prefix. https://kep.k8s.io/4858 */
export function clearRange(text: string): readonly string[] {
  const problems = cidr(text);
  if (problems.length > 0) return problems;
  const [address = ''] = text.split('/');
  if (isMapped(address)) return ['must not have an IPv4-mapped IPv6 address'];
  const { bits, address: number, prefix, isV6 } = networkOf(text);
  const isClear = prefix(bits) << BigInt((isV6 ? 128 : 32) - bits) === number;
  return isClear ? [] : ['must not have bits set beyond the prefix length'];
}

/** As `canonicalAddress`, for ranges. */
export function canonicalRange(text: string): readonly string[] {
  const problems = clearRange(text);
  if (problems.length > 0) return problems;
  const [address = '', bits] = text.split('/');
  const right = `${canonicalText(address)}/${bits}`;
  return right === text ? [] : [`must be in canonical form (${JSON.stringify(right)})`];
}
