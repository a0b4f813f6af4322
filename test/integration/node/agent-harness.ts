import { join } from 'node:path';
import { NodeAgent } from '@periplus/node';
import { createAuthority, issueCertificate, type KeyPair } from '@periplus/pki';
import { startContainerd, type TestContainerd } from '@periplus/testing';
import { vi } from 'vitest';
import { type ContainerSeen, type PodStatusSeen, TestCluster } from './test-cluster.ts';

export const SOON = { timeout: 20_000, interval: 25 };

/** One node: a containerd, an etcd with the store in front of it, and an agent. */
export class AgentHarness implements AsyncDisposable {
  readonly containerd: TestContainerd;
  readonly cluster: TestCluster;
  readonly authority: KeyPair;
  readonly logged: string[] = [];
  agent: NodeAgent | null = null;

  private constructor(containerd: TestContainerd, cluster: TestCluster, authority: KeyPair) {
    this.containerd = containerd;
    this.cluster = cluster;
    this.authority = authority;
  }

  static async start(): Promise<AgentHarness> {
    const [containerd, cluster] = await Promise.all([startContainerd(), TestCluster.start()]);
    const harness = new AgentHarness(containerd, cluster, await createAuthority('test'));
    await harness.startAgent();
    return harness;
  }

  async startAgent(): Promise<void> {
    const { cluster, containerd } = this;
    const name = cluster.node;
    const server = await issueCertificate(this.authority, { commonName: name, hosts: [name], usages: ['server'] });
    const tls = {
      ca: Buffer.from(this.authority.cert),
      cert: Buffer.from(server.cert),
      key: Buffer.from(server.key),
    };
    const write =
      (level: string) =>
      (fields: object, message: string): void => {
        this.logged.push(`${level} ${message} ${JSON.stringify(fields)}`);
      };
    const log = {
      ...{ debug: () => undefined, info: write('info'), warn: write('warn'), error: write('error') },
      child: () => log,
    };
    this.agent = new NodeAgent(
      {
        identity: { name, labels: { zone: 'a' }, taints: [], podCidr: '10.0.0.0/24' },
        addresses: ['127.0.0.1'],
        runtimeSocket: containerd.socket,
        directory: join(containerd.directory, 'agent'),
        logDirectory: join(containerd.directory, 'logs'),
        cgroupRoot: containerd.cgroupRoot,
        dns: { servers: [], domain: 'cluster.local' },
        apiService: { host: '10.96.0.1', port: 443 },
        livenessTtlSeconds: 20,
        volumeRefreshMs: 300,
        server: { host: '127.0.0.1', port: 0, tls },
      },
      {
        ...{ etcd: await cluster.connect(), keys: cluster.keys, log },
        ...{ commands: cluster.commands, resources: cluster.resources },
      },
    );
    await this.agent.start();
  }

  /** As when its process is killed: nothing is told, nothing is stopped. */
  async stopAgent(): Promise<void> {
    await this.agent?.stop();
    this.agent = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopAgent();
    await this.cluster[Symbol.asyncDispose]();
    await this.containerd.stop();
  }

  /** A container that runs a script. */
  shell(script: string, more: object = {}): never {
    return { name: 'main', image: this.containerd.image, command: ['/bin/sh', '-c', script], ...more } as never;
  }

  /** Runs until it is told to end, which it hears of from the moment on that it has logged `serving`. */
  server(more: object = {}): never {
    return this.shell('trap "exit 0" TERM; echo serving; while :; do sleep 1000 & wait $!; done', more);
  }

  create(name: string, spec: object, metadata: object = {}): Promise<string> {
    return this.cluster.createPod({ metadata: { name, ...metadata }, spec: spec as never });
  }

  main(name: string): ContainerSeen | undefined {
    return this.cluster.status(name).containerStatuses?.[0];
  }

  async until(name: string, holds: (status: PodStatusSeen) => boolean): Promise<PodStatusSeen> {
    await vi.waitFor(() => {
      const status = this.cluster.status(name);
      if (!holds(status)) throw new Error(`${JSON.stringify(status)}\n${this.logged.slice(-5).join('\n')}`);
    }, SOON);
    return this.cluster.status(name);
  }

  untilRunning(name: string): Promise<PodStatusSeen> {
    return this.until(name, ({ phase, containerStatuses }) =>
      Boolean(phase === 'Running' && containerStatuses?.every(({ ready }) => ready)),
    );
  }

  untilGone(name: string): Promise<void> {
    return vi.waitFor(() => {
      if (this.cluster.pod(name)) throw new Error(JSON.stringify(this.cluster.status(name)));
    }, SOON);
  }
}
