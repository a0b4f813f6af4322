/** Addresses that simulated pods get: each node has a /24 within one range, each pod an address within that. */
const NODE_BITS = 8;
/** .0 names the network, .1 is the gateway, .255 is for all. */
const HOST_MIN = 2;
const HOST_MAX = 254;

const toNumber = (address: string): number => address.split('.').reduce((value, part) => value * 256 + Number(part), 0);
const toText = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');

/** Whether `count` nodes fit into `cidr` ("10.128.0.0/9"). */
export function nodesThatFit(cidr: string): number {
  const bits = Number(cidr.split('/')[1]);
  return bits > 32 - NODE_BITS ? 0 : 2 ** (32 - NODE_BITS - bits);
}

/** The range of the node at `index`: "10.128.7.0/24". */
export function nodeCidr(cidr: string, index: number): string {
  return `${toText(toNumber(cidr.split('/')[0]!) + index * 2 ** NODE_BITS)}/${32 - NODE_BITS}`;
}

/** The addresses of one node, as bits. */
export class AddressPool {
  private readonly base: number;
  private readonly used = new Uint8Array(32);
  private last = HOST_MIN - 1;

  constructor(cidr: string) {
    this.base = toNumber(cidr.split('/')[0]!);
  }

  /** The next free address; '' when all are taken. One that was given back is used again as late as can be. */
  take(): string {
    for (let i = 1; i <= HOST_MAX; i += 1) {
      const host = this.last + i > HOST_MAX ? HOST_MIN + ((this.last + i) % (HOST_MAX + 1)) : this.last + i;
      if (host > HOST_MAX || this.isUsed(host)) continue;
      this.last = host;
      this.mark(host, true);
      return toText(this.base + host);
    }
    return '';
  }

  /** Marks an address that a pod has already. */
  keep(address: string): void {
    const host = toNumber(address) - this.base;
    if (host >= 0 && host < 256) this.mark(host, true);
  }

  giveBack(address: string): void {
    const host = toNumber(address) - this.base;
    if (host >= 0 && host < 256) this.mark(host, false);
  }

  private isUsed(host: number): boolean {
    return (this.used[host >> 3]! & (1 << (host & 7))) !== 0;
  }

  private mark(host: number, used: boolean): void {
    if (used) this.used[host >> 3]! |= 1 << (host & 7);
    else this.used[host >> 3]! &= ~(1 << (host & 7));
  }
}
