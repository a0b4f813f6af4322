import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { NodeAgent } from '@periplus/node';
import type { KeyPair } from '@periplus/pki';
import { createAuthority, issueCertificate } from '@periplus/pki';
import { startContainerd, type TestContainerd, whyNoTestContainers } from '@periplus/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { TestCluster } from './test-cluster.ts';

const reason = whyNoTestContainers();
const SOON = { timeout: 15_000, interval: 25 };

const logged: string[] = [];
const log = {
  debug: () => undefined,
  info: (fields: object, message: string) => logged.push(`info ${message} ${JSON.stringify(fields)}`),
  warn: (fields: object, message: string) => logged.push(`warn ${message} ${JSON.stringify(fields)}`),
  error: (fields: object, message: string) => logged.push(`error ${message} ${JSON.stringify(fields)}`),
  child: () => log,
};

describe.skipIf(reason)(`the node-agent${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let containerd: TestContainerd;
  let cluster: TestCluster;
  let agent: NodeAgent;
  let authority: KeyPair;

  const startAgent = async (): Promise<NodeAgent> => {
    const name = cluster.node;
    const server = await issueCertificate(authority, { commonName: name, hosts: [name], usages: ['server'] });
    const started = new NodeAgent(
      {
        identity: { name, labels: {}, taints: [] },
        addresses: ['127.0.0.1'],
        runtimeSocket: containerd.socket,
        directory: join(containerd.directory, 'agent'),
        logDirectory: join(containerd.directory, 'logs'),
        cgroupRoot: containerd.cgroupRoot,
        dns: { servers: [], domain: 'cluster.local' },
        apiService: { host: '10.96.0.1', port: 443 },
        livenessTtlSeconds: 5,
        volumeRefreshMs: 300,
        server: {
          host: '127.0.0.1',
          port: 0,
          tls: { ca: Buffer.from(authority.cert), cert: Buffer.from(server.cert), key: Buffer.from(server.key) },
        },
      },
      {
        etcd: await cluster.connect(),
        keys: cluster.keys,
        commands: cluster.commands,
        resources: cluster.resources,
        log,
      },
    );
    await started.start();
    return started;
  };

  beforeAll(async () => {
    containerd = await startContainerd();
    authority = await createAuthority('test');
    mkdirSync(join(containerd.directory, 'logs'));
  });
  afterAll(() => containerd?.stop());
  beforeEach(async () => {
    logged.length = 0;
    cluster = await TestCluster.start();
    agent = await startAgent();
  });
  afterEach(async () => {
    await agent.stop();
    await cluster[Symbol.asyncDispose]();
  });

  const shell = (script: string): object => ({
    name: 'main',
    image: containerd.image,
    command: ['/bin/sh', '-c', script],
  });
  const untilRunning = (name: string): Promise<void> =>
    vi.waitFor(() => {
      expect(cluster.status(name).phase).toBe('Running');
      expect(cluster.status(name).containerStatuses?.every(({ ready }) => ready)).toBe(true);
    }, SOON);

  it('registers its node, reports it ready and holds its liveness', async () => {
    await vi.waitFor(
      () =>
        expect(cluster.nodeObject?.status?.conditions).toContainEqual(
          expect.objectContaining({ type: 'Ready', status: 'True' }),
        ),
      SOON,
    );
    expect(await cluster.isAlive()).toBe(true);
    expect(agent.notReady()).toBeUndefined();
  });

  it('runs a pod, gives it an address, and takes everything away when it is deleted', async () => {
    const _startedMs = performance.now();
    await cluster.createPod({
      metadata: { name: 'one' },
      spec: { containers: [shell('trap "exit 0" TERM; sleep 1000 & wait')] } as never,
    });
    await untilRunning('one');
    const status = cluster.status('one');
    expect(status.podIP).toMatch(/^10\./);
    expect(status.hostIP).toBe('127.0.0.1');
    await cluster.deletePod('one', 5);
    await vi.waitFor(() => expect(cluster.pod('one')).toBeUndefined(), SOON);
    expect(logged.filter((line) => line.startsWith('warn'))).toEqual([]);
  });
});
