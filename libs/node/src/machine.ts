import { readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, freemem, hostname, networkInterfaces, release, totalmem } from 'node:os';
import type { MachineFacts } from './node-status.ts';

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return ''; // not readable here: shown as unknown
  }
};

/** The first address of each family that others can reach, IPv4 first; loopback when there is none. */
function machineAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outer = all.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  const first = outer.find(({ family }) => family === 'IPv4') ?? outer[0];
  return [first?.address ?? '127.0.0.1'];
}

function memoryFree(): number {
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(textOf('/proc/meminfo'))?.[1];
  return available ? Number(available) * 1024 : freemem();
}

function pidsFree(): number {
  const used = Number(/\/(\d+) /.exec(textOf('/proc/loadavg'))?.[1] ?? 0);
  return Number(textOf('/proc/sys/kernel/pid_max') || 32_768) - used;
}

/** Reads what the node reports. `directory` is on the disk that pods use. */
export function readMachine(directory: string, addresses = machineAddresses(), name = hostname()): MachineFacts {
  const disk = statfsSync(directory);
  return {
    hostname: name.toLowerCase(),
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    memoryFreeBytes: memoryFree(),
    diskBytes: disk.blocks * disk.bsize,
    diskFreeBytes: disk.bavail * disk.bsize,
    pidsFree: pidsFree(),
    addresses,
    machineId: textOf('/etc/machine-id'),
    systemUuid: textOf('/sys/class/dmi/id/product_uuid'),
    bootId: textOf('/proc/sys/kernel/random/boot_id'),
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(textOf('/etc/os-release'))?.[1] ?? 'Linux',
  };
}
