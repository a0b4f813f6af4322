import { networkInterfaces } from 'node:os';

/** The machine's first IPv4 address that is not loopback; loopback on a machine without a network. */
export function machineAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((some) => some ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}
