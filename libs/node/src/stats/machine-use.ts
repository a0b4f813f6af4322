import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** What the whole machine has used of its processors since it began, and holds of its memory. */
export interface MachineUse {
  cpuNanoSeconds: number;
  /** All that is in use but what the kernel would give up first: files that nobody has read of late. */
  workingSetBytes: number;
}

const KIBI = 1024;

/** From the text of /proc/meminfo. */
export function workingSetOf(meminfo: string): number {
  const bytes = (name: string): number => {
    const found = meminfo.split('\n').find((line) => line.startsWith(`${name}:`));
    return Number(/\d+/.exec(found?.slice(name.length) ?? '')?.[0] ?? 0) * KIBI;
  };
  return Math.max(0, bytes('MemTotal') - bytes('MemFree') - bytes('Inactive(file)'));
}

export function readMachineUse(): MachineUse {
  const milliseconds = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  return { cpuNanoSeconds: milliseconds * 1e6, workingSetBytes: workingSetOf(readFileSync('/proc/meminfo', 'utf8')) };
}
