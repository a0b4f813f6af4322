import { isIPv4 } from 'node:net';

export interface ServiceNetworkConfig {
  /** Addresses of services: an IPv4 network of /8 to /30, "10.96.0.0/12". */
  serviceCidr: string;
  /** First and last, "30000-32767". */
  nodePortRange: string;
}

const numberOf = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
export const addressOf = (value: number): string =>
  [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.');

/** Numbers from `first` on, that can be taken. */
export interface Pool {
  readonly first: number;
  readonly size: number;
  /** As many at the beginning are left for those who choose for themselves, while there are others. */
  readonly reserved: number;
}

/** How much of a range is left to be chosen by hand. https://kep.k8s.io/3070 and https://kep.k8s.io/3668 */
const reservedOf = (size: number, min: number, share: number, max: number): number =>
  size <= min ? 0 : Math.min(Math.max(min, Math.floor(size / share)), max);

/** The addresses of an IPv4 network, which may be taken; none of one that has but two. */
export function addressPool(range: string): Pool {
  const [address = '', length = ''] = range.split('/');
  const whole = 2 ** (32 - Number(length));
  const base = Math.floor(numberOf(address) / whole) * whole;
  // The first address names the network, the last one everybody in it.
  const size = Math.max(whole - 2, 0);
  return { first: base + 1, size, reserved: reservedOf(size, 16, 16, 256) };
}

export const hasAddress = (pool: Pool, address: string): boolean =>
  isIPv4(address) && contains(pool, numberOf(address));

/** The ranges that services get their addresses and node ports from. Throws when the configuration makes no sense. */
export class ServiceNetwork {
  readonly serviceCidr: string;
  readonly nodePortRange: string;
  readonly addresses: Pool;
  readonly nodePorts: Pool;

  constructor({ serviceCidr, nodePortRange }: ServiceNetworkConfig) {
    const [address = '', length = ''] = serviceCidr.split('/');
    const bits = Number(length);
    if (!isIPv4(address) || !Number.isInteger(bits) || bits < 8 || bits > 30) {
      throw new Error(`service network ${serviceCidr} is not an IPv4 network of /8 to /30`);
    }
    this.addresses = addressPool(serviceCidr);
    const range = /^(\d{1,5})-(\d{1,5})$/.exec(nodePortRange);
    const [from, to] = [Number(range?.[1]), Number(range?.[2])];
    if (!range || from < 1 || to > 65_535 || from > to) {
      throw new Error(`node ports ${nodePortRange} are not a range within 1-65535`);
    }
    const count = to - from + 1;
    this.nodePorts = { first: from, size: count, reserved: reservedOf(count, 16, 32, 128) };
    this.serviceCidr = `${addressOf(this.addresses.first - 1)}/${bits}`;
    this.nodePortRange = nodePortRange;
  }

  /** The address of the `kubernetes` service. */
  get apiServerAddress(): string {
    return addressOf(this.addresses.first);
  }

  hasNodePort(port: number): boolean {
    return contains(this.nodePorts, port);
  }
}

const contains = ({ first, size }: Pool, value: number): boolean => value >= first && value < first + size;

/** Guesses before all are looked at: enough while a pool is not nearly full. */
const GUESSES_MAX = 16;

/** A free number of the pool; undefined when all are taken. `random` is in [0, 1). */
export function pick(pool: Pool, isTaken: (value: number) => boolean, random: () => number): number | undefined {
  const { first, size, reserved } = pool;
  const open = size - reserved;
  for (let guess = 0; guess < GUESSES_MAX && open > 0; guess++) {
    const value = first + reserved + Math.floor(random() * open);
    if (!isTaken(value)) return value;
  }
  for (let offset = 0; offset < size; offset++) {
    const value = first + ((reserved + offset) % size);
    if (!isTaken(value)) return value;
  }
  return undefined;
}
