/**
 * Many nodes in one process that run nothing: pods bound to them become ready after a while and go when they are told
 * to. Needs neither root nor a container runtime. One lease, one watch and one delay queue serve all nodes.
 */
import { type Kind, type Node, node as nodeKind, VOLUME_DIRECTORY_ANNOTATION } from '@periplus/api';
import { isAlreadyExists, isNotFound, type JsonObject } from '@periplus/apimachinery';
import type { CommandClient } from '@periplus/client';
import type { Logger } from '@periplus/component';
import type { EtcdClient } from '@periplus/etcd';
import { type Clock, systemClock } from '@periplus/reconcile';
import type { Keys } from '@periplus/store';
import { Inbox } from '../inbox.ts';
import { Liveness } from '../liveness.ts';
import { NodeLeases } from '../node-leases.ts';
import { isReady, type MachineFacts, type NodeIdentity, newNode, nodeStatus } from '../node-status.ts';
import { watchNodes } from '../node-watch.ts';
import type { Pod } from '../pod/pod-types.ts';
import type { RangeFollower } from '../range-follower.ts';
import { VolumeKeeper } from '../volumes/volume-keeper.ts';
import { AddressPool, nodeCidr, nodesThatFit } from './address-pool.ts';
import { StageEngine } from './stage-engine.ts';
import { nextStage, type StageDelays } from './stages.ts';

export const HOLLOW_NODES_MAX = 5_000;
/** Registrations sent at once; the command stream batches them. */
const REGISTRATIONS_MAX = 256;
const RETRY_MS = 1_000;
/** Where volumes would lie. Nothing is ever made there. */
const VOLUME_DIRECTORY = '/var/lib/periplus/simulated-volumes';
const GIBI = 1024 ** 3;

export interface HollowOptions {
  count: number;
  /** "sim-": the nodes are sim-0, sim-1, ... */
  namePrefix: string;
  delays: StageDelays;
  /** Pod addresses of all nodes, a /24 for each. */
  podCidr: string;
  /** What each node has. */
  cpus: number;
  memoryGib: number;
  podsPerNode: number;
  labels: Readonly<Record<string, string>>;
  /** How much of what they request containers are said to use, unless their pod says it (`periplus.dev/usage-cpu`). */
  usagePercent: { cpu: number; memory: number };
  livenessTtlSeconds: number;
}

export interface HollowDeps {
  etcd: EtcdClient;
  keys: Keys;
  commands: CommandClient;
  log: Logger;
  clock?: Clock;
}

interface HollowNode {
  index: number;
  pool: AddressPool;
}

interface HollowPod {
  node: string;
  address: string;
  /** The stage that is to come. */
  stage: string;
}

export class HollowNodes {
  private readonly options: HollowOptions;
  private readonly deps: HollowDeps;
  private readonly clock: Clock;
  private readonly nodes = new Map<string, HollowNode>();
  private readonly pods = new Map<string, HollowPod>();
  private readonly engine: StageEngine;
  private readonly volumeKeeper: VolumeKeeper;
  private readonly inbox: Inbox;
  private readonly liveness: Liveness;
  private readonly leases: NodeLeases;
  private readonly nodeWatch: RangeFollower;
  private readonly registered = new Set<string>();
  /** Names of nodes whose state is being told, and of those that have to be told of again after that. */
  private readonly telling = new Set<string>();
  private readonly stale = new Set<string>();
  private listed = false;
  private closed = false;
  private readonly retries = new Set<NodeJS.Timeout>();

  /** Throws RangeError when the nodes don't fit into the address range. */
  constructor(options: HollowOptions, deps: HollowDeps) {
    const { count, podCidr, namePrefix } = options;
    if (count > nodesThatFit(podCidr)) throw new RangeError(`${podCidr} has no room for ${count} nodes`);
    this.options = options;
    this.deps = deps;
    this.clock = deps.clock ?? systemClock;
    for (let index = 0; index < count; index += 1) {
      this.nodes.set(`${namePrefix}${index}`, { index, pool: new AddressPool(nodeCidr(podCidr, index)) });
    }
    const { etcd, keys, log, commands } = deps;
    this.engine = new StageEngine({
      ...{ commands, log, clock: this.clock, delays: options.delays },
      isKnown: (uid) => this.pods.has(uid),
      contextOf: (node, pod) => ({ hostAddress: this.hostAddress(node), podAddress: this.addressOf(node, pod) }),
    });
    this.volumeKeeper = new VolumeKeeper({
      ...{ directory: VOLUME_DIRECTORY, commands, log },
      removeDirectory: () => Promise.resolve(),
    });
    this.inbox = new Inbox({
      ...{ etcd, keys, log },
      listener: {
        onPod: (node, pod) => this.onPod(node, pod),
        onGone: (_node, uid) => this.onGone(uid),
        onVolume: (node, volume) => {
          if (this.nodes.has(node)) this.volumeKeeper.see(volume);
        },
        onListed: () => {
          this.listed = true;
        },
      },
    });
    const names = [...this.nodes.keys()];
    this.liveness = new Liveness({
      ...{ etcd, keys, log, nodes: names, ttlSeconds: options.livenessTtlSeconds },
      onHeld: () => void this.registerAll(),
    });
    this.leases = new NodeLeases({ commands, log, clock: this.clock });
    this.nodeWatch = watchNodes({ etcd, keys, log, onNode: (node) => this.onNode(node) });
  }

  get podCount(): number {
    return this.pods.size;
  }

  notReady(): string | undefined {
    if (this.registered.size < this.nodes.size) {
      return `${this.registered.size} of ${this.nodes.size} nodes are registered`;
    }
    if (!this.liveness.isHeld) return 'the liveness lease is not held';
    return this.listed ? undefined : 'the inboxes have not been listed';
  }

  /** Returns at once; `notReady` says when all is up. */
  start(): Promise<void> {
    this.liveness.start();
    this.inbox.start();
    this.nodeWatch.start();
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.closed = true;
    for (const timer of this.retries) clearTimeout(timer);
    this.engine.close();
    this.inbox.close();
    this.volumeKeeper.close();
    this.nodeWatch.close();
    this.leases.close();
    this.liveness.close();
  }

  /** Not before the nodes are alive: what is not heard of is not believed to be ready. */
  private async registerAll(): Promise<void> {
    const names = [...this.nodes.keys()];
    for (let i = 0; i < names.length && !this.closed; i += REGISTRATIONS_MAX) {
      await Promise.all(names.slice(i, i + REGISTRATIONS_MAX).map((name) => this.register(name)));
    }
  }

  private async register(name: string): Promise<void> {
    this.telling.add(name);
    try {
      const object = newNode(this.identity(name), this.machine(name));
      if (!this.registered.has(name)) {
        await this.deps.commands.send({ verb: 'create', ...target(name), object }, null).catch(ignoreExisting);
      }
      const status = this.status(name) as unknown as JsonObject;
      const command = { verb: 'patch', type: 'strategic', ...target(name), subresource: 'status' } as const;
      await this.deps.commands.send({ ...command, patch: { status } }, null);
      this.registered.add(name);
    } catch (error) {
      if (this.closed || isNotFound(error)) return;
      this.deps.log.warn({ node: name, error: String(error) }, 'could not tell the state of a node');
      const timer = setTimeout(() => {
        this.retries.delete(timer);
        void this.register(name);
      }, RETRY_MS);
      this.retries.add(timer);
    } finally {
      this.telling.delete(name);
      if (this.stale.delete(name)) void this.register(name);
    }
  }

  /** Somebody took the node for dead. While it is not alive, he is right. */
  private onNode(node: Node): void {
    const { metadata, status } = node;
    const name = metadata.name ?? '';
    if (this.nodes.has(name)) this.leases.see(node);
    if (!this.liveness.isHeld || !this.registered.has(name) || isReady(status)) return;
    if (this.telling.has(name)) this.stale.add(name);
    else void this.register(name);
  }

  private identity(name: string): NodeIdentity {
    const { podCidr, labels, podsPerNode, usagePercent } = this.options;
    return {
      ...{ name, port: 0, podCidr: nodeCidr(podCidr, this.nodes.get(name)!.index), taints: [] },
      labels: { 'periplus.dev/simulated': 'true', ...labels },
      annotations: {
        [VOLUME_DIRECTORY_ANNOTATION]: VOLUME_DIRECTORY,
        'periplus.dev/usage-cpu-percent': String(usagePercent.cpu),
        'periplus.dev/usage-memory-percent': String(usagePercent.memory),
      },
      podsMax: podsPerNode,
    };
  }

  private status(name: string): Omit<NonNullable<Node['status']>, 'images'> {
    const runtime = { version: '0.0.0-simulated', conditions: [], images: [] };
    const nowMs = this.clock.nowMs();
    const { images: _, ...status } = nodeStatus(this.identity(name), this.machine(name), runtime, undefined, nowMs);
    return status;
  }

  private machine(name: string): MachineFacts {
    const { cpus, memoryGib } = this.options;
    const id = Buffer.from(name).toString('hex').padEnd(32, '0').slice(0, 32);
    return {
      ...{ hostname: name, architecture: 'amd64', cpus, addresses: [this.hostAddress(name)], pidsFree: 32_768 },
      ...{ memoryBytes: memoryGib * GIBI, memoryFreeBytes: memoryGib * GIBI },
      ...{ diskBytes: 100 * GIBI, diskFreeBytes: 100 * GIBI, machineId: id, systemUuid: id, bootId: id },
      ...{ kernelVersion: 'simulated', osImage: 'simulated' },
    };
  }

  /** The gateway of the node's own range. */
  private hostAddress(name: string): string {
    return nodeCidr(this.options.podCidr, this.nodes.get(name)!.index).replace(/0\/24$/, '1');
  }

  private onPod(node: string, pod: Pod): void {
    const own = this.nodes.get(node);
    if (!own) return; // a real node's
    const { uid } = pod.metadata;
    const before = this.pods.get(uid);
    const address = before?.address || pod.status?.podIP || '';
    if (address && !before?.address) own.pool.keep(address);
    this.pods.set(uid, { node, address, stage: nextStage(pod)?.name ?? '' });
    this.engine.see(node, pod, before?.stage);
  }

  private addressOf(node: string, { metadata }: Pod): string {
    const pod = this.pods.get(metadata.uid);
    if (!pod) return '';
    pod.address ||= this.nodes.get(node)?.pool.take() ?? '';
    return pod.address;
  }

  private onGone(uid: string): void {
    const pod = this.pods.get(uid);
    if (!pod) return;
    if (pod.address) this.nodes.get(pod.node)?.pool.giveBack(pod.address);
    this.pods.delete(uid);
    this.engine.forget(uid);
  }
}

const target = (name: string): { kind: Kind; namespace: string; name: string } => ({
  kind: nodeKind as unknown as Kind,
  namespace: '',
  name,
});

function ignoreExisting(error: unknown): void {
  if (!isAlreadyExists(error)) throw error;
}
