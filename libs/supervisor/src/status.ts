import { readFileSync, rmSync } from 'node:fs';
import type { ClusterFolder } from './cluster-folder.ts';
import { identify, type ProcessIdentity, stillRuns } from './leftovers.ts';
import type { ProcessState } from './supervised-process.ts';
import { readJsonFile, writeJsonFile } from './whole-file.ts';

export type ClusterPhase = 'starting' | 'ready' | 'stopping';

export interface ProcessStatus {
  name: string;
  state: ProcessState;
  pid: number | undefined;
  restarts: number;
  lastExit: string | undefined;
}

/** What a running supervisor says of itself in `run/status.json`. */
export interface ClusterStatus {
  name: string;
  phase: ClusterPhase;
  /** Why `up` failed, when it did. */
  failure?: string;
  supervisor: ProcessIdentity;
  server: string;
  kubeconfig: string;
  startedAt: string;
  processes: ProcessStatus[];
}

export const publishStatus = (folder: ClusterFolder, status: ClusterStatus): void =>
  writeJsonFile(folder.status, status);

export const withdrawStatus = (folder: ClusterFolder): void => rmSync(folder.status, { force: true });

/** The status of the cluster's supervisor; undefined when none runs (a file left by a killed one counts as none). */
export function readStatus(folder: ClusterFolder): ClusterStatus | undefined {
  const status = readJsonFile<ClusterStatus>(folder.status);
  return status && stillRuns(status.supervisor) ? status : undefined;
}

export function thisSupervisor(): ProcessIdentity {
  const identity = identify('supervisor', process.pid);
  if (!identity) throw new Error('this process is not to be found');
  return identity;
}

/** Resident memory of a process in bytes; undefined when it has ended or the system doesn't say. */
export function residentBytes(pid: number): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}
