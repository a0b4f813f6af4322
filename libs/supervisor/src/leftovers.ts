import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readJsonFile, writeJsonFile } from './whole-file.ts';

/** A process by id and start time, since ids are used again. */
export interface ProcessIdentity {
  name: string;
  pid: number;
  /** Field 22 of /proc/<pid>/stat, in clock ticks since boot; '' where there is no /proc. */
  startTicks: string;
}

const END_MS_MAX = 10_000;
const POLL_MS = 50;

/** Undefined when no such process runs. */
export function identify(name: string, pid: number): ProcessIdentity | undefined {
  const startTicks = startTicksOf(pid);
  return startTicks === undefined ? undefined : { name, pid, startTicks };
}

export const stillRuns = ({ pid, startTicks }: ProcessIdentity): boolean => startTicksOf(pid) === startTicks;

function startTicksOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name in parentheses may hold spaces; what follows does not. State Z is a zombie.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    if (process.platform === 'linux') return undefined;
  }
  try {
    process.kill(pid, 0);
    return '';
  } catch {
    return undefined;
  }
}

export const recordProcesses = (file: string, processes: readonly ProcessIdentity[]): void =>
  writeJsonFile(file, processes);

/** Ends what a killed supervisor has left running, so that ports and data folders are free. Returns their names. */
export async function endLeftovers(file: string): Promise<string[]> {
  const running = (readJsonFile<ProcessIdentity[]>(file) ?? []).filter(stillRuns);
  for (const { pid } of running) process.kill(pid, 'SIGTERM');
  const deadline = Date.now() + END_MS_MAX;
  while (running.some(stillRuns) && Date.now() < deadline) await sleep(POLL_MS);
  for (const left of running.filter(stillRuns)) process.kill(left.pid, 'SIGKILL');
  return running.map(({ name }) => name);
}
