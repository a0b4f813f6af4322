import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Which process holds something, so that others can tell whether it still runs. */
export interface ProcessIdentity {
  /** Equal for two processes exactly when one can look up the other's pid. */
  machine: string;
  pid: number;
}

const read = (source: () => string): string => {
  try {
    return source().trim();
  } catch {
    return '';
  }
};

/** This machine since its last boot, as seen from this container. Without Linux's /proc only the host's name. */
const machine = [
  hostname(),
  read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
  read(() => readlinkSync('/proc/self/ns/pid')),
].join(' ');

export const thisProcess = (): ProcessIdentity => ({ machine, pid: process.pid });

/** True only when `identity` ran here and certainly runs no more. */
export function isGone(identity: ProcessIdentity): boolean {
  if (identity.machine !== machine || !machine.includes('pid:')) return false;
  try {
    process.kill(identity.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
