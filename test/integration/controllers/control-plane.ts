import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtinKinds, coreEvent, type Kind, node, type Pod, pod, podMetrics } from '@periplus/api';
import { type DeepReadonly, isConditionTrue, isNotFound, type KubeObject } from '@periplus/apimachinery';
import { ClusterCache } from '@periplus/cache';
import {
  type Command,
  type CommandClient,
  type ConnectionOptions,
  EventRecorder,
  openCommandClient,
  openResourceClient,
} from '@periplus/client';
import { type Logger, Metrics } from '@periplus/component';
import {
  type AutoscalerSettings,
  builtinControllers,
  certificateEnquiries,
  secretEnquiry,
  tokenEnquiry,
  UsageFeed,
} from '@periplus/controllers';
import type { EtcdClient, LeaseHandle } from '@periplus/etcd';
import { startGrpcServer } from '@periplus/grpc-api';
import { Fairness } from '@periplus/operations';
import { createAuthority, issueCertificate, type KeyPair } from '@periplus/pki';
import { ControllerRuntime } from '@periplus/reconcile';
import { Keys } from '@periplus/store';
import { vi } from 'vitest';
import { ROOT_CA, startCore, type TestCore } from '../operations/core.ts';

const PREFIX = '/periplus';

export { ROOT_CA };

/** As fast as can be, and nothing is too small a change. */
const AUTOSCALER: AutoscalerSettings = {
  ...{ syncPeriodMs: 1_000, downscaleStabilizationMs: 2_000, tolerance: 0.1 },
  ...{ cpuInitializationMs: 0, initialReadinessDelayMs: 0 },
};

/** Tokens of yesterday that nobody used are marked. */
const LEGACY_TOKEN_UNUSED_MS = 1;

/** The logger of what runs in a test: only errors speak. */
const quiet: Logger = {
  debug() {},
  info() {},
  warn() {},
  error(fields, message) {
    process.stderr.write(`${message} ${JSON.stringify(fields)}\n`);
  },
  child: () => quiet,
};

/** A real etcd, the api-server's core behind its gRPC API, and clients that come with certificates. */
export interface ControlPlane extends AsyncDisposable {
  core: TestCore;
  /** Signs everybody's certificates. */
  authority: KeyPair;
  /** With the rights of a cluster administrator. */
  admin: CommandClient;
  connection(commonName: string, organization?: string): Promise<ConnectionOptions>;
  /** The cluster as it is committed and seen by the api-server. */
  list<T extends KubeObject>(kind: Kind<T>, namespace?: string): readonly DeepReadonly<T>[];
  get<T extends KubeObject>(kind: Kind<T>, namespace: string, name: string): DeepReadonly<T> | undefined;
  /** Creates an object as the administrator. */
  create<T extends KubeObject>(kind: Kind<T>, object: T): Promise<void>;
  patch(kind: Kind, namespace: string, name: string, patch: object, subresource?: string): Promise<void>;
  events(): string[];
  /** A node that is ready, and heard of until the lease that is returned ends. */
  addNode(name: string): Promise<LeaseHandle>;
}

const pem = (pair: KeyPair): { cert: Buffer; key: Buffer } => ({
  cert: Buffer.from(pair.cert),
  key: Buffer.from(pair.key),
});

export async function startControlPlane(): Promise<ControlPlane> {
  const stack = new AsyncDisposableStack();
  const core = stack.use(await startCore());
  const authority = await createAuthority('test');
  const serving = await issueCertificate(authority, {
    commonName: 'api-server',
    usages: ['server'],
    hosts: ['127.0.0.1', 'localhost'],
  });
  const ca = Buffer.from(authority.cert);
  const fairness = new Fairness({ cache: core.cache });
  stack.defer(() => fairness.close());
  const server = await startGrpcServer({
    operations: core.operations,
    authenticator: core.authenticator,
    fairness,
    kinds: builtinKinds(),
    log: quiet,
    tls: { ...pem(serving), clientAuthority: ca },
    host: '127.0.0.1',
    port: 0,
  });
  stack.defer(() => server.close());
  const connection = async (commonName: string, organization?: string): Promise<ConnectionOptions> => {
    const organizations = organization ? [organization] : [];
    const pair = await issueCertificate(authority, { commonName, organizations, usages: ['client'] });
    return { targets: [`localhost:${server.port}`], tls: { ca, ...pem(pair) } };
  };
  const admin = openCommandClient(await connection('admin', 'system:masters'));
  stack.defer(() => admin.close());
  const view = () => core.cache.view(Date.now());
  return {
    core,
    authority,
    admin,
    connection,
    list: (kind, namespace) => view().list(kind, namespace),
    get: (kind, namespace, name) => view().get(kind, namespace, name),
    async create(kind, object) {
      const { namespace = '', name = '' } = object.metadata;
      await admin.send({ verb: 'create', kind: kind as Kind, namespace, name, object }, null);
    },
    async patch(kind, namespace, name, patch, subresource) {
      await admin.send({ verb: 'patch', kind, namespace, name, type: 'merge', patch, subresource }, null);
    },
    async addNode(name) {
      const lease = await core.etcd.lease(60);
      await core.etcd.put(new Keys(PREFIX).liveness(name), Buffer.alloc(0), lease.id);
      const object = { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {} };
      await admin.send({ verb: 'create', kind: node, namespace: '', name, object }, null);
      const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is ready' }];
      const target = { kind: node, namespace: '', name, subresource: 'status' };
      await admin.send({ ...target, verb: 'patch', type: 'merge', patch: { status: { conditions } } }, null);
      return lease;
    },
    events: () =>
      view()
        .list(coreEvent)
        .map(({ reason, message }) => `${reason} ${message}`),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** The controllers within this process; `target` is another way to the api-server, `etcd` one to etcd. */
export async function runControllers(
  plane: ControlPlane,
  { target, etcd = plane.core.etcd }: { target?: string; etcd?: EtcdClient } = {},
): Promise<AsyncDisposable & { metrics: Metrics }> {
  const { targets, tls } = await plane.connection('system:kube-controller-manager');
  const resources = openResourceClient({ targets: target ? [target] : targets, tls });
  const usage = new UsageFeed({
    list: async (namespace) => (await resources.list(podMetrics, namespace)).items,
    periodMs: AUTOSCALER.syncPeriodMs,
  });
  const controllers = builtinControllers({
    kinds: builtinKinds(),
    rootCaPem: ROOT_CA,
    nodeMonitor: { startupGraceMs: 60_000 },
    usage,
    autoscaler: AUTOSCALER,
    podNetworks: [],
    certificates: certificateEnquiries(resources, plane.authority),
    signing: { lifeMs: 365 * 86_400_000 },
    bootstrapTokens: tokenEnquiry(resources),
    secrets: secretEnquiry(resources),
    legacyTokens: { unusedMs: LEGACY_TOKEN_UNUSED_MS },
    recycler: { image: 'recycler' },
    endedPodsKeptMax: 12_500,
  });
  const ending = new AbortController();
  const cache = new ClusterCache({
    etcd,
    prefix: PREFIX,
    cipher: null,
    indexes: [...new Set(controllers.flatMap(({ indexes }) => indexes))],
    liveness: true,
    log: quiet,
  });
  await cache.start(ending.signal);
  const commands = openCommandClient({ targets: target ? [target] : targets, tls });
  const events = new EventRecorder({ commands, component: 'controller-manager' });
  const metrics = new Metrics();
  const runtime = new ControllerRuntime({
    component: 'controller-manager',
    controllers,
    cluster: cache,
    commands,
    log: quiet,
    metrics,
    record: (event) => events.record(event),
  });
  usage.start(() => cache.view(Date.now()), ending.signal);
  runtime.start();
  return {
    metrics,
    async [Symbol.asyncDispose]() {
      await runtime.stop();
      await commands.close();
      resources.close();
      ending.abort();
    },
  };
}

/** Starts processes of one component, as often as it is asked to, and ends them all. */
export interface Spawner extends Disposable {
  start(): ChildProcess;
}

/** A component as the process that it is in a cluster. `more` gives the rest of its configuration. */
export async function spawner(
  plane: ControlPlane,
  component: 'controller-manager' | 'scheduler',
  more: (file: (name: string, content: string | Buffer) => string) => object,
): Promise<Spawner> {
  const folder = mkdtempSync(join(tmpdir(), `periplus-${component}-`));
  const { targets, tls } = await plane.connection(`system:kube-${component}`);
  const file = (name: string, content: string | Buffer): string => {
    writeFileSync(join(folder, name), content, { mode: 0o600 });
    return join(folder, name);
  };
  const config = file(
    'config.json',
    JSON.stringify({
      apiServers: targets,
      tls: { ca: file('ca.crt', tls.ca), cert: file('tls.crt', tls.cert), key: file('tls.key', tls.key) },
      etcd: { endpoints: plane.core.endpoints, prefix: PREFIX },
      logLevel: 'warn',
      ...more(file),
    }),
  );
  const main = join(import.meta.dirname, `../../../apps/${component}/src/main.ts`);
  const started: ChildProcess[] = [];
  return {
    start() {
      const child = spawn(process.execPath, [main, '--config', config], { stdio: ['ignore', 'ignore', 'inherit'] });
      started.push(child);
      return child;
    },
    [Symbol.dispose]() {
      for (const child of started) child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const spawnControllerManager = (plane: ControlPlane): Promise<Spawner> =>
  spawner(plane, 'controller-manager', (file) => ({ rootCaFile: file('root-ca.crt', ROOT_CA) }));

/** Binds pods to a node, makes them ready, and ends those that are being deleted: a kubelet and a scheduler in one. */
export function runKubelet(plane: ControlPlane, options: { node?: string; delayMs?: () => number } = {}): Disposable {
  const { node: nodeName = 'n1', delayMs = () => 5 } = options;
  const busy = new Set<string>();
  let running = true;
  const send = (command: Command): Promise<unknown> =>
    plane.admin.send(command, null).catch((error: unknown) => {
      if (running && !isNotFound(error)) throw error;
    });
  const look = async (seen: DeepReadonly<Pod>): Promise<void> => {
    const { namespace = '', name = '', uid = '', deletionTimestamp } = seen.metadata;
    const target = { kind: pod as Kind, namespace, name };
    if (busy.has(uid) || !running) return;
    busy.add(uid);
    await new Promise((resolve) => setTimeout(resolve, delayMs()));
    if (deletionTimestamp) await send({ ...target, verb: 'delete', gracePeriodSeconds: 0, ifUid: uid });
    else if (!seen.spec.nodeName) {
      const object = {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name, namespace },
        target: { kind: 'Node', name: nodeName },
      };
      await send({ ...target, verb: 'create', subresource: 'binding', object });
    } else if (!isConditionTrue(seen.status?.conditions, 'Ready')) {
      const now = new Date().toISOString();
      const status = {
        phase: 'Running',
        podIP: '10.1.0.1',
        podIPs: [{ ip: '10.1.0.1' }],
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: `${now.slice(0, 19)}Z` }],
      };
      await send({ ...target, verb: 'patch', subresource: 'status', type: 'merge', ifUid: uid, patch: { status } });
    }
    busy.delete(uid);
    const now = plane.get(pod, namespace, name);
    if (now && now.metadata.resourceVersion !== seen.metadata.resourceVersion) await look(now);
  };
  const unsubscribe = plane.core.cache.subscribe((_revision, changes) => {
    for (const { type, entry } of changes) {
      if (entry.key.resource === 'pods' && type !== 'deleted') void look(entry.object as DeepReadonly<Pod>);
    }
  });
  for (const present of plane.list(pod)) void look(present);
  return {
    [Symbol.dispose]() {
      running = false;
      unsubscribe();
    },
  };
}

/** For tests that start processes again and again, each of which loads for seconds on a busy machine. */
export const PROCESSES_MS_MAX = 180_000;

/** Waits for a condition of the cluster, not for a time; a process may have to start for it. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: 45_000, interval: 20 });
