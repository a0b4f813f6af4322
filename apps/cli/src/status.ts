import { setTimeout as sleep } from 'node:timers/promises';
import {
  AdminApi,
  type ClusterFolder,
  clusterFolder,
  loadSettings,
  readStatus,
  residentBytes,
} from '@periplus/supervisor';

const REFRESH_MS = 1_000;

interface Snapshot {
  name: string;
  phase: string;
  server: string;
  kubeconfig: string;
  startedAt: string;
  processes: {
    name: string;
    state: string;
    pid?: number;
    restarts: number;
    lastExit?: string;
    residentBytes?: number;
  }[];
  nodes: { name: string; ready: boolean }[];
  podPhases: Record<string, number>;
  /** Why the API could not be asked. */
  apiFailure?: string;
}

/** `periplus status`: exits with 3 when the cluster is not up. */
export async function status(options: { name: string; json?: boolean }): Promise<void> {
  const folder = clusterFolder(options.name);
  const snapshot = await look(folder);
  if (!snapshot) {
    process.stdout.write(
      options.json ? `${JSON.stringify({ name: folder.name, phase: 'down' })}\n` : `cluster ${folder.name} is down\n`,
    );
    process.exitCode = 3;
    return;
  }
  process.stdout.write(options.json ? `${JSON.stringify(snapshot)}\n` : `${text(snapshot)}\n`);
}

/** Redraws the status below what was printed before, until `signal` aborts. */
export async function watchStatus(folder: ClusterFolder, signal: AbortSignal): Promise<void> {
  let drawn = 0;
  while (!signal.aborted) {
    const snapshot = await look(folder);
    if (signal.aborted || !snapshot) return;
    const lines = text(snapshot).split('\n');
    process.stdout.write(`${drawn > 0 ? `\x1b[${drawn}A` : '\n'}\x1b[J${lines.join('\n')}\n`);
    drawn = lines.length;
    await sleep(REFRESH_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function look(folder: ClusterFolder): Promise<Snapshot | undefined> {
  const supervisor = readStatus(folder);
  const settings = loadSettings(folder);
  if (!supervisor || !settings) return undefined;
  const api = new AdminApi(folder, settings.ports.apiServer);
  const snapshot: Snapshot = {
    name: supervisor.name,
    phase: supervisor.phase,
    server: supervisor.server,
    kubeconfig: supervisor.kubeconfig,
    startedAt: supervisor.startedAt,
    processes: [
      { name: 'supervisor', state: 'running', pid: supervisor.supervisor.pid, restarts: 0 },
      ...supervisor.processes,
    ].map((process) => ({ ...process, residentBytes: process.pid ? residentBytes(process.pid) : undefined })),
    nodes: [],
    podPhases: {},
  };
  try {
    [snapshot.nodes, snapshot.podPhases] = await Promise.all([api.nodes(), api.podPhases()]);
  } catch (error) {
    snapshot.apiFailure = (error as Error).message;
  } finally {
    api.close();
  }
  return snapshot;
}

function text(snapshot: Snapshot): string {
  const rows = snapshot.processes.map((process) => [
    process.name,
    process.state,
    process.pid === undefined ? '' : String(process.pid),
    process.residentBytes === undefined ? '' : `${Math.round(process.residentBytes / 2 ** 20)} MiB`,
    process.restarts === 0 ? '' : `${process.restarts} restarts (${process.lastExit ?? 'ended'})`,
  ]);
  const ready = snapshot.nodes.filter((node) => node.ready).length;
  const phases = Object.entries(snapshot.podPhases).map(([phase, count]) => `${count} ${phase}`);
  return [
    `cluster ${snapshot.name} is ${snapshot.phase} at ${snapshot.server}`,
    ...aligned([['PROCESS', 'STATE', 'PID', 'MEMORY', ''], ...rows]),
    snapshot.apiFailure
      ? `api: ${snapshot.apiFailure}`
      : `nodes: ${ready} of ${snapshot.nodes.length} Ready; pods: ${phases.join(', ') || 'none'}`,
  ].join('\n');
}

function aligned(rows: string[][]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}
