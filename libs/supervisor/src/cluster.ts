import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { collectWhenSettled } from '@periplus/component';
import { AdminApi } from './admin-api.ts';
import type { ClusterFolder } from './cluster-folder.ts';
import { type ComponentName, component, STORE_PREFIX } from './components.ts';
import { containerdAnswers, containerdServer, containerPaths, endContainers, prepareContainers } from './containers.ts';

import { etcdEndpoint, etcdServer } from './etcd-server.ts';
import { endLeftovers, identify, recordProcesses } from './leftovers.ts';
import { answersOk, eventually } from './readiness.ts';
import type { ClusterSettings, OptionalComponent } from './settings.ts';
import { type ClusterPhase, type ClusterStatus, publishStatus, thisSupervisor, withdrawStatus } from './status.ts';
import { type ProcessSpec, SupervisedProcess } from './supervised-process.ts';

/** How long a step of `up` may take before it has failed. */
const STEP_MS_MAX = 60_000;

/** A step of `up`, as it begins and as it is done. */
export interface Progress {
  begin(step: string): void;
  done(step: string, ms: number, detail?: string): void;
}

export interface ClusterOptions {
  folder: ClusterFolder;
  settings: ClusterSettings;
  /** Where the bundles of the applications are: `<dist>/api-server/main.js`. */
  dist: string;
}

/**
 * The processes of one cluster on this machine. `up` brings them up, in the order of their needs and as far as
 * possible side by side; each that ends is started again; `down` ends them all, containers included. The data
 * stays for the next `up`.
 */
export class Cluster {
  readonly folder: ClusterFolder;
  readonly settings: ClusterSettings;
  private readonly dist: string;
  private readonly processes = new Map<string, SupervisedProcess>();
  private phase: ClusterPhase = 'starting';
  private failure: string | undefined;
  private readonly startedAt = new Date().toISOString();
  private readonly supervisor = thisSupervisor();

  constructor({ folder, settings, dist }: ClusterOptions) {
    this.folder = folder;
    this.settings = settings;
    this.dist = dist;
  }

  get server(): string {
    return `https://127.0.0.1:${this.settings.ports.apiServer}`;
  }

  get status(): ClusterStatus {
    return {
      name: this.folder.name,
      phase: this.phase,
      ...(this.failure && { failure: this.failure }),
      supervisor: this.supervisor,
      server: this.server,
      kubeconfig: this.folder.kubeconfig,
      startedAt: this.startedAt,
      processes: [...this.processes.values()].map((process) => ({
        name: process.spec.name,
        state: process.state,
        pid: process.pid,
        restarts: process.restarts,
        lastExit: process.lastExit,
      })),
    };
  }

  /** Resolves when the API answers and every node is Ready. Rejects with what was not reached; call `down` then. */
  async up(progress: Progress, signal: AbortSignal): Promise<void> {
    this.publish();
    const left = await endLeftovers(this.folder.processes);
    if (left.length > 0) progress.done(`ended what a killed supervisor had left: ${left.join(', ')}`, 0);
    await this.makeCertificates(progress);
    const api = new AdminApi(this.folder, this.settings.ports.apiServer);
    try {
      await Promise.all([this.startControlPlane(api, progress, signal), this.startContainerd(progress, signal)]);
      if (this.has('node-agent')) {
        this.start(this.component('node-agent'));
        await this.step(progress, 'nodes Ready', signal, () => this.allNodesReady(api));
      }
    } finally {
      api.close();
    }
    this.phase = 'ready';
    this.publish();
    collectWhenSettled();
  }

  /** Ends every process: the node first, so that nothing reacts to the end of what it depends on. */
  async down(failure?: string): Promise<void> {
    this.phase = 'stopping';
    this.failure = failure;
    this.publish();
    const stop = (...names: string[]) => Promise.all(names.map((name) => this.processes.get(name)?.stop()));
    await stop('node-agent');
    await stop('scheduler', 'controller-manager', 'containerd');
    await stop('api-server');
    await stop('etcd');
    if (this.settings.node.type === 'containers') await endContainers(this.folder, this.settings);
    withdrawStatus(this.folder);
  }

  private async makeCertificates(progress: Progress): Promise<void> {
    const started = performance.now();
    // It is written last: with it, everything else is there.
    if (existsSync(this.folder.kubeconfig)) return;
    const { ensureFiles } = await import('./files.ts');
    await ensureFiles(this.folder, this.settings);
    progress.done('certificates and kubeconfig', performance.now() - started);
  }

  private async startControlPlane(api: AdminApi, progress: Progress, signal: AbortSignal): Promise<void> {
    this.start(etcdServer(this.folder, this.settings, 'etcd'));
    const secured = join(this.folder.etcdData, 'secured');
    if (existsSync(secured)) {
      // It waits for etcd by itself, and loads meanwhile.
      this.start(this.component('api-server'));
    }
    await this.step(progress, 'etcd', signal, () => answersOk(this.settings.ports.etcdMetrics, '/health'));
    if (!existsSync(secured)) {
      // Loaded for the first `up` only, as is what makes certificates: a supervisor stays small and starts fast.
      const { rootLogin, secureEtcd } = await import('./etcd-roles.ts');
      await secureEtcd(rootLogin(this.folder, [etcdEndpoint(this.settings)]), STORE_PREFIX);
      writeFileSync(secured, '');
      this.start(this.component('api-server'));
    }
    await this.step(progress, 'api-server', signal, () => api.isReady());
    for (const name of ['controller-manager', 'scheduler'] as const) {
      if (this.has(name)) this.start(this.component(name));
    }
  }

  private has(name: OptionalComponent): boolean {
    return !this.settings.without?.includes(name);
  }

  private async startContainerd(progress: Progress, signal: AbortSignal): Promise<void> {
    if (this.settings.node.type !== 'containers') return;
    const paths = containerPaths(this.folder, this.settings);
    this.start(containerdServer(this.folder, this.settings));
    await this.step(progress, 'containerd', signal, () => containerdAnswers(paths));
    await prepareContainers(paths);
  }

  /** What the API says of nodes may be from before: their agent has to say it of now. */
  private async allNodesReady(api: AdminApi): Promise<boolean> {
    if (!(await answersOk(this.settings.ports.nodeHealth, '/readyz'))) return false;
    const expected = this.settings.node.type === 'containers' ? 1 : this.settings.node.count;
    const nodes = await api.nodes().catch(() => []);
    return nodes.filter((node) => node.ready).length >= expected;
  }

  private component(name: ComponentName): ProcessSpec {
    const { folder, settings } = this;
    const etcdEndpoints = [etcdEndpoint(settings)];
    const context = { folder, settings, etcdEndpoints, apiServerHost: '127.0.0.1' };
    return component(name, context, this.dist);
  }

  private start(spec: ProcessSpec): void {
    const process = new SupervisedProcess(spec, () => this.publish());
    this.processes.set(spec.name, process);
    process.start();
  }

  private async step(
    progress: Progress,
    name: string,
    signal: AbortSignal,
    holds: () => Promise<boolean>,
  ): Promise<void> {
    const started = performance.now();
    progress.begin(name);
    try {
      await eventually(name, holds, { msMax: STEP_MS_MAX, signal });
    } catch (error) {
      signal.throwIfAborted();
      throw new Error(`${(error as Error).message}. The logs in ${this.folder.logs} say why`, { cause: error });
    }
    progress.done(name, performance.now() - started);
  }

  private publish(): void {
    publishStatus(this.folder, this.status);
    const running = [...this.processes.values()].flatMap(({ spec, pid }) =>
      pid ? (identify(spec.name, pid) ?? []) : [],
    );
    recordProcesses(this.folder.processes, running);
  }
}
