import { readFileSync } from 'node:fs';
import { residentBytes } from '@periplus/supervisor';
import type { TestCluster } from '@periplus/testing';

/** Linux counts CPU time in hundredths of a second whatever its timer does. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
const TICKS_PER_SECOND = 100;
/** Of the fields behind the name, which stands in parentheses and may hold blanks. */
const [UTIME, STIME] = [11, 12];

/** What a process of a cluster has used so far. */
export interface Usage {
  cpuSeconds: number;
  residentBytes: number;
}

/** By name: etcd, the Node processes, and the supervisor. */
export function usageOf(cluster: TestCluster): Record<string, Usage> {
  const { processes, supervisor } = cluster.status();
  const all = [...processes, { name: 'supervisor', pid: supervisor.pid }];
  return Object.fromEntries(
    all.flatMap(({ name, pid }) => (pid === undefined ? [] : [[name, usageOfProcess(pid)] as const])),
  );
}

function usageOfProcess(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[UTIME]) + Number(fields[STIME]);
  return { cpuSeconds: ticks / TICKS_PER_SECOND, residentBytes: residentBytes(pid) ?? 0 };
}

/** What each process has used since `before`, to two places. */
export function cpuSecondsSince(before: Record<string, Usage>, cluster: TestCluster): Record<string, number> {
  const now = usageOf(cluster);
  return Object.fromEntries(
    Object.entries(now).map(([name, { cpuSeconds }]) => [
      name,
      Number((cpuSeconds - (before[name]?.cpuSeconds ?? 0)).toFixed(2)),
    ]),
  );
}
