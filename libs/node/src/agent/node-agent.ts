/**
 * Runs the pods that are bound to one node. `start` takes over what an earlier agent left: pods are known by the
 * inbox, containers by their labels, so nothing that runs is touched; what no inbox entry stands for is ended.
 */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { VOLUME_DIRECTORY_ANNOTATION } from '@periplus/api';
import type { CommandClient, ResourceClient } from '@periplus/client';
import type { Logger } from '@periplus/component';
import { type Cri, describeCriError, openCri, type TaskWatch, watchTasks } from '@periplus/cri';
import type { EtcdClient } from '@periplus/etcd';
import { systemClock } from '@periplus/reconcile';
import type { Keys } from '@periplus/store';
import { Inbox } from '../inbox.ts';
import { Liveness } from '../liveness.ts';
import { rotateLog } from '../logs/log-rotation.ts';
import { type FoundLog, LogNotFound, type LogServer, serveLogs } from '../logs/log-server.ts';
import { readMachine } from '../machine.ts';
import { NodeLeases } from '../node-leases.ts';
import { NodeRegistration } from '../node-registration.ts';
import type { NodeIdentity } from '../node-status.ts';
import { watchNodes } from '../node-watch.ts';
import { LABEL } from '../pod/container-names.ts';
import { parseResolvConf } from '../pod/dns.ts';
import type { Pod } from '../pod/pod-types.ts';
import { podUidOfLogs } from '../pod/sandbox-config.ts';
import type { RangeFollower } from '../range-follower.ts';
import { readMachineUse } from '../stats/machine-use.ts';
import { UsageMeter } from '../stats/usage-meter.ts';
import { VolumeKeeper } from '../volumes/volume-keeper.ts';
import type { AgentContext } from './agent-context.ts';
import { AssignedRanges } from './assigned-ranges.ts';
import { type ContextOptions, makeContext, readRuntime } from './node-context.ts';
import { orphanPod, PodWorker } from './pod-worker.ts';

/** Events of the runtime may be missed; everything is looked at this often. */
const RELIST_MS = 10_000;
const LOG_CHECK_MS = 10_000;
/** How often use is measured; rates are of this interval. As the kubelet's housekeeping. */
const MEASURE_MS = 10_000;
const _VOLUME_REFRESH_MS = 60_000;
/** As the kubelet reports: the largest ones. */
const _IMAGES_MAX = 50;

export interface NodeAgentOptions extends ContextOptions {
  /** The socket of containerd. */
  runtimeSocket: string;
  /** How long the node counts as alive after it was last heard of. */
  livenessTtlSeconds: number;
  /** The node's own HTTPS server. Port 0 takes a free one. */
  server: { host: string; port: number; tls: { ca: Buffer; cert: Buffer; key: Buffer } };
}

export interface NodeAgentDeps {
  etcd: EtcdClient;
  keys: Keys;
  commands: CommandClient;
  resources: ResourceClient;
  log: Logger;
}

export class NodeAgent {
  private readonly options: NodeAgentOptions;
  private readonly deps: NodeAgentDeps;
  private readonly cri: Cri;
  private readonly context: AgentContext;
  private readonly workers = new Map<string, PodWorker>();
  private readonly fingerprints = new Map<string, string>();
  private readonly volumeKeeper: VolumeKeeper;
  private readonly inbox: Inbox;
  private readonly liveness: Liveness;
  private readonly leases: NodeLeases;
  private readonly ranges: AssignedRanges;
  private readonly nodeWatch: RangeFollower;
  private readonly meter: UsageMeter;
  private measuring = false;
  private registration: NodeRegistration | null = null;
  private tasks: TaskWatch | null = null;
  private server: LogServer | null = null;
  private timers: NodeJS.Timeout[] = [];
  /** The inbox has been listed once: from now on what is not in it is an orphan. */
  private listed = false;
  private relisting: Promise<void> | null = null;
  private closed = false;

  constructor(options: NodeAgentOptions, deps: NodeAgentDeps) {
    this.options = options;
    this.deps = deps;
    this.cri = openCri(options.runtimeSocket);
    this.meter = new UsageMeter(options.identity.name);
    const wake = (uid: string): void => this.workers.get(uid)?.wake();
    this.context = makeContext(options, { ...deps, cri: this.cri, wake });
    this.volumeKeeper = new VolumeKeeper({
      ...{ directory: this.context.directories.persistentVolumes, commands: deps.commands, log: deps.log },
      removeDirectory: (path) => rm(path, { recursive: true, force: true }),
      record: (event) => this.context.record(event),
    });
    this.inbox = new Inbox({
      ...{ etcd: deps.etcd, keys: deps.keys, node: options.identity.name, log: deps.log },
      listener: {
        onPod: (_node, pod) => this.onPod(pod),
        onGone: (_node, uid) => this.workers.get(uid)?.remove(),
        onVolume: (_node, volume) => this.volumeKeeper.see(volume),
        onListed: () => this.onListed(),
      },
    });
    this.liveness = new Liveness({
      ...{ etcd: deps.etcd, keys: deps.keys, log: deps.log },
      nodes: [options.identity.name],
      ttlSeconds: options.livenessTtlSeconds,
      onHeld: () => this.registration?.look(),
    });
    this.leases = new NodeLeases({ commands: deps.commands, log: deps.log, clock: systemClock });
    this.ranges = new AssignedRanges({ cri: this.cri, log: deps.log });
    this.nodeWatch = watchNodes({
      ...{ etcd: deps.etcd, keys: deps.keys, node: options.identity.name, log: deps.log },
      onNode: (node) => {
        this.registration?.see(node);
        this.leases.see(node);
        this.ranges.see(node);
      },
    });
  }

  /** The port of the node's own server, once started. */
  get port(): number {
    return this.server?.port ?? 0;
  }

  get podCount(): number {
    return this.workers.size;
  }

  /** Why the agent is not at work yet; undefined when it is. */
  notReady(): string | undefined {
    if (!this.listed) return 'the inbox has not been listed';
    if (!this.registration?.isRegistered) return 'the node is not registered';
    if (!this.liveness.isHeld) return 'the liveness lease is not held';
    return undefined;
  }

  async start(): Promise<void> {
    const { server, identity } = this.options;
    const { log } = this.deps;
    this.context.settings.hostDns = parseResolvConf(await readFile('/etc/resolv.conf', 'utf8').catch(() => ''));
    await this.context.volumes.start();
    this.server = await serveLogs({
      ...{ ...server, log },
      findLog: (...names) => this.findLog(...names),
      summary: () => this.meter.summary,
    });
    this.registration = this.makeRegistration({ ...identity, port: this.server.port });
    this.registration.start();
    this.context.record({
      about: { apiVersion: 'v1', kind: 'Node', metadata: { name: identity.name, uid: identity.name } },
      ...{ type: 'Normal', reason: 'Starting', message: 'Starting kubelet.' },
    });
    this.liveness.start();
    this.nodeWatch.start();
    this.inbox.start();
    this.tasks = watchTasks(this.options.runtimeSocket, {
      onEvent: ({ topic, containerId }) => this.onTask(topic, containerId),
      onConnected: () => {
        this.relist();
        this.registration?.look();
      },
    });
    this.timers = [
      setInterval(() => this.relist(), RELIST_MS),
      setInterval(() => void this.rotateLogs(), LOG_CHECK_MS),
      setInterval(() => void this.measure(), MEASURE_MS),
    ];
    void this.measure();
  }

  /** Leaves the pods running. */
  async stop(): Promise<void> {
    this.closed = true;
    for (const timer of this.timers) clearInterval(timer);
    this.inbox.close();
    this.volumeKeeper.close();
    this.liveness.close();
    this.nodeWatch.close();
    this.leases.close();
    this.ranges.close();
    this.registration?.close();
    this.tasks?.close();
    for (const worker of this.workers.values()) worker.close();
    this.context.prober.close();
    this.context.statuses.close();
    await this.server?.close();
    this.cri.close();
  }

  private onPod(pod: Pod): void {
    const { uid } = pod.metadata;
    const worker = this.workers.get(uid);
    if (worker) worker.update(pod);
    else this.addWorker(pod).wake();
  }

  private addWorker(pod: Pod): PodWorker {
    const worker = new PodWorker(this.context, pod, () => {
      if (this.workers.get(pod.metadata.uid) === worker) this.workers.delete(pod.metadata.uid);
    });
    this.workers.set(pod.metadata.uid, worker);
    return worker;
  }

  private onListed(): void {
    const isFirst = !this.listed;
    this.listed = true;
    this.relist();
    if (!isFirst) return;
    this.removeLeftovers().catch((error: unknown) => {
      this.deps.log.warn({ error: describeCriError(error) }, 'could not remove what old pods left');
    });
  }

  private onTask(topic: string, containerId: string): void {
    if (topic === '/tasks/exit') this.context.view.heardExit(containerId);
    const uid = this.context.view.podOfId(containerId);
    if (uid) this.workers.get(uid)?.wake();
    else this.relist();
  }

  private relist(): void {
    if (this.relisting || this.closed) return;
    this.relisting = this.lookAtAll()
      .catch((error: unknown) => {
        if (!this.closed) this.deps.log.warn({ error: describeCriError(error) }, 'could not list the runtime');
      })
      .finally(() => {
        this.relisting = null;
      });
  }

  /** Wakes pods whose containers have changed, and ends what belongs to no pod. */
  private async lookAtAll(): Promise<void> {
    const found = await this.context.view.relist();
    const seen = new Set<string>();
    for (const { uid, namespace, name, fingerprint } of found) {
      seen.add(uid);
      const worker = this.workers.get(uid);
      if (!worker && this.listed) {
        this.deps.log.info({ namespace, pod: name, uid }, 'ending an orphan');
        this.addWorker(orphanPod(uid, namespace, name, this.options.identity.name)).remove();
      } else if (this.fingerprints.get(uid) !== fingerprint) worker?.wake();
      this.fingerprints.set(uid, fingerprint);
    }
    for (const uid of [...this.fingerprints.keys()]) {
      if (seen.has(uid)) continue;
      this.fingerprints.delete(uid);
      this.workers.get(uid)?.wake();
    }
  }

  /** What pods that went while no agent ran have left on disk. */
  private async removeLeftovers(): Promise<void> {
    const { directories, volumes, view } = this.context;
    const { logDirectory } = this.options;
    const running = new Set((await view.relist()).map(({ uid }) => uid));
    // A pod has a worker before it has anything on disk, so new ones are safe.
    const isLeft = (uid: string): boolean => !running.has(uid) && !this.workers.has(uid);
    for (const uid of await readdir(directories.pods)) if (isLeft(uid)) await volumes.remove(uid, 'all');
    for (const name of await readdir(logDirectory).catch(() => [])) {
      const uid = podUidOfLogs(name);
      if (uid && isLeft(uid)) await rm(join(logDirectory, name), { recursive: true, force: true });
    }
  }

  private makeRegistration(identity: NodeIdentity): NodeRegistration {
    const { directory } = this.options;
    const { settings, directories } = this.context;
    const { addresses } = settings.facts;
    return new NodeRegistration({
      identity: { ...identity, annotations: { [VOLUME_DIRECTORY_ANNOTATION]: directories.persistentVolumes } },
      readMachine: () => readMachine(directory, [...addresses], identity.name),
      readRuntime: () => readRuntime(this.cri),
      ...{ commands: this.deps.commands, resources: this.deps.resources, log: this.deps.log, now: Date.now },
      isAlive: () => this.liveness.isHeld,
      onTurn: (node, reason) => {
        const message = `Node ${identity.name} status is now: ${reason}`;
        this.context.record({ about: node, type: 'Normal', reason, message });
      },
    });
  }

  private async findLog(namespace: string, name: string, container: string, previous: boolean): Promise<FoundLog> {
    const worker = [...this.workers.values()].find((one) => one.isNamed(namespace, name));
    if (!worker) throw new LogNotFound(404, `pod "${name}" not found`);
    const { containers } = await this.context.view.inspect(worker.uid);
    const all = containers.filter((one) => one.name === container);
    if (previous) {
      const ended = all.filter(({ state }) => state === 'exited');
      const found = all[0]?.state === 'exited' && ended.length > 1 ? ended[1] : ended[0];
      if (!found) {
        const message = `previous terminated container "${container}" in pod "${name}" not found`;
        throw new LogNotFound(400, message);
      }
      return { path: found.logPath, isRunning: () => false };
    }
    const found = all.find(({ state }) => state === 'running' || state === 'exited');
    if (!found) {
      const why = worker.waitingReason(container) ?? 'ContainerCreating';
      const message = `container "${container}" in pod "${name}" is waiting to start: ${why}`;
      throw new LogNotFound(400, message);
    }
    const isRunning = async (): Promise<boolean> =>
      (await this.cri.containerStatus(found.id).catch(() => null))?.state === 'running';
    return { path: found.logPath, isRunning };
  }

  /** One reading at a time: a runtime that is slow to answer is not asked again before it has. */
  private async measure(): Promise<void> {
    if (this.measuring) return;
    this.measuring = true;
    try {
      const containers = await this.cri.containerStats({ labels: { [LABEL.node]: this.options.identity.name } });
      this.meter.add({ atMs: Date.now(), machine: readMachineUse(), containers });
    } catch (error) {
      if (!this.closed) this.deps.log.warn({ error: describeCriError(error) }, 'could not measure what is used');
    } finally {
      this.measuring = false;
    }
  }

  private async rotateLogs(): Promise<void> {
    for (const worker of this.workers.values()) {
      for (const { id, logPath } of worker.runningContainers()) {
        if (!logPath) continue;
        await rotateLog(logPath, () => this.cri.reopenLog(id), Date.now()).catch((error: unknown) => {
          this.deps.log.warn({ path: logPath, error: describeCriError(error) }, 'could not rotate a log');
        });
      }
    }
  }
}
