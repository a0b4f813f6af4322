import { spawn } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { whyNoContainers } from '@periplus/containerd';
import {
  Cluster,
  type ClusterFolder,
  type ClusterSettings,
  clusterFolder,
  clusterFolders,
  createSettings,
  defaultNodeName,
  endLeftovers,
  loadSettings,
  newSettings,
  OPTIONAL_COMPONENTS,
  type OptionalComponent,
  PORT_NAMES,
  type PortName,
  readStatus,
  takePort,
} from '@periplus/supervisor';
import { jsonReport, type Report, textReport } from './report.ts';
import { watchStatus } from './status.ts';

export interface UpOptions {
  name: string;
  detach?: boolean;
  simulate?: number;
  without?: OptionalComponent[];
  port?: Partial<Record<PortName, number>>;
  json?: boolean;
  supervise?: boolean;
}

const SIMULATED_NODES_MAX = 5_000;
/** A second less than what a step of the supervisor may take in all. */
const DETACH_MS_MAX = 180_000;
const POLL_MS = 50;
/** The bundles stand side by side. */
const DIST = join(import.meta.dirname, '..');

/** Collects `--port name=number`; throws when a name or a number is none. */
export function parsePorts(
  text: string,
  before: Partial<Record<PortName, number>> = {},
): Partial<Record<PortName, number>> {
  const [name, number] = text.split('=') as [PortName, string | undefined];
  const port = Number(number);
  if (!PORT_NAMES.includes(name) || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error(`--port ${text}: write name=number, with one of ${PORT_NAMES.join(', ')}`);
  }
  return { ...before, [name]: port };
}

/** Reads `--simulate`; throws when that is no number of nodes. */
export function parseNodes(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > SIMULATED_NODES_MAX) {
    throw new Error(`--simulate ${text}: a whole number from 1 to ${SIMULATED_NODES_MAX}`);
  }
  return count;
}

/** Collects `--without name,name`; throws when one is no component that can be left out. */
export function parseWithout(text: string, before: OptionalComponent[] = []): OptionalComponent[] {
  const names = text.split(',') as OptionalComponent[];
  if (!names.every((name) => OPTIONAL_COMPONENTS.includes(name))) {
    throw new Error(`--without ${text}: write some of ${OPTIONAL_COMPONENTS.join(', ')}`);
  }
  return [...new Set([...before, ...names])];
}

export async function up(options: UpOptions): Promise<void> {
  const folder = clusterFolder(options.name);
  const report = options.json ? jsonReport() : textReport();
  const running = readStatus(folder);
  if (running && running.supervisor.pid !== process.pid) {
    report.info(`cluster ${folder.name} is up already`);
    report.ready(folder, running.server);
    return;
  }
  const settings = await settingsFor(folder, options, report);
  if (options.detach) await detached(folder, report);
  else await supervise(folder, settings, report, options);
}

/** The settings of the cluster's first `up`, or new ones; refuses options that would contradict the old ones. */
async function settingsFor(folder: ClusterFolder, options: UpOptions, report: Report): Promise<ClusterSettings> {
  const known = loadSettings(folder);
  if (known) {
    if (options.simulate !== undefined || options.port || options.without) {
      throw new Error(
        `cluster ${folder.name} exists: --simulate, --without and --port are for new ones. Delete it first with: periplus down --delete --name ${folder.name}`,
      );
    }
    // Whoever runs this in the background has them.
    if (!options.supervise) await takePorts(folder, known);
    return known;
  }
  const others = clusterFolders().flatMap((other) => loadSettings(other) ?? []);
  const settings = await newSettings({
    ports: options.port ?? {},
    node: nodeFor(options, report),
    ...(options.without && { without: options.without }),
    takenPodCidrs: others.map((other) => other.podCidr),
  });
  if (!createSettings(folder, settings)) throw new Error(`another up of cluster ${folder.name} has just begun`);
  return settings;
}

function nodeFor(options: UpOptions, report: Report): ClusterSettings['node'] {
  if (options.without?.includes('node-agent')) {
    if (options.simulate === undefined) return { type: 'simulated', count: 0 };
    throw new Error('--simulate and --without node-agent contradict each other: the node-agent simulates the nodes');
  }
  if (options.simulate !== undefined) return { type: 'simulated', count: options.simulate };
  const obstacle = whyNoContainers();
  if (obstacle === undefined) return { type: 'containers', name: defaultNodeName() };
  report.info(`no real containers here: ${obstacle}. Simulating 1 node instead, as with --simulate 1`);
  return { type: 'simulated', count: 1 };
}

/** Ports of a known cluster stay as they are, since kubeconfigs name them. What a killed supervisor left is ended first. */
async function takePorts(folder: ClusterFolder, settings: ClusterSettings): Promise<void> {
  await endLeftovers(folder.processes);
  for (const [name, port] of Object.entries(settings.ports)) {
    if (await takePort(port)) continue;
    throw new Error(
      `port ${port} (${name}) of cluster ${folder.name} is taken by another program; end that, or edit ${folder.settings}`,
    );
  }
}

async function supervise(
  folder: ClusterFolder,
  settings: ClusterSettings,
  report: Report,
  options: UpOptions,
): Promise<void> {
  const cluster = new Cluster({ folder, settings, dist: DIST });
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stopping.signal.aborted)
        report.info('still taking the cluster down; kill -9 leaves its processes for the next up');
      stopping.abort(new Error(`stopped by ${signal}`));
    });
  }
  const stopped = new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve()));
  try {
    await cluster.up(report, stopping.signal);
  } catch (error) {
    await cluster.down((error as Error).message);
    if (stopping.signal.aborted) return process.exit(130);
    throw error;
  }
  report.ready(folder, cluster.server);
  if (!options.json && !options.supervise && process.stdout.isTTY) void watchStatus(folder, stopping.signal);
  await stopped;
  report.info('taking the cluster down');
  await cluster.down();
  report.info(`cluster ${folder.name} is down; its data stays in ${folder.path}`);
  process.exit(0);
}

/** Starts this program again in the background, and waits until its cluster is ready or it has failed. */
async function detached(folder: ClusterFolder, report: Report): Promise<void> {
  mkdirSync(folder.logs, { recursive: true });
  const logFile = join(folder.logs, 'supervisor.log');
  const log = openSync(logFile, 'a', 0o640);
  const started = performance.now();
  const args = [...process.execArgv, process.argv[1]!, 'up', '--supervise', '--json', '--name', folder.name];
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', log, log] });
  let ended: string | undefined;
  child.once('exit', (code, signal) => {
    ended = signal ?? `exit code ${code}`;
  });
  child.once('error', (error) => {
    ended = error.message;
  });
  report.begin(`cluster ${folder.name}`);
  for (;;) {
    const status = readStatus(folder);
    if (status?.phase === 'ready' && status.supervisor.pid === child.pid) break;
    if (ended) throw new Error(`cluster ${folder.name} did not come up (${ended}); ${logFile} says why`);
    if (performance.now() - started > DETACH_MS_MAX)
      throw new Error(`cluster ${folder.name} is not ready yet; see ${logFile}`);
    await sleep(POLL_MS);
  }
  child.unref();
  report.done(`cluster ${folder.name}`, performance.now() - started);
  report.ready(folder, readStatus(folder)!.server);
}
