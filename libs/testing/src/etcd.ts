import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type EtcdClient,
  EtcdError,
  type EtcdOptions,
  type EtcdPermission,
  openEtcd,
  openEtcdAdmin,
  serverVersion,
} from '@periplus/etcd';
import type { KeyPair } from '@periplus/pki';
import { createEtcdNetwork, dockerAnswers, type EtcdContainerNetwork } from './etcd-container.ts';
import type { EtcdMember, EtcdMemberPlan } from './etcd-member.ts';
import { startEtcdProcess } from './etcd-process.ts';
import { createEtcdTls, type EtcdTls, writeServerTls } from './etcd-tls.ts';
import { freePorts } from './free-ports.ts';

const IMAGE = 'localhost/etcd:3.4.23';
const READY_MS_MAX = 30_000;
const READY_POLL_MS = 20;
/** A leader that dies is replaced within about a second, so that tests of it are short. */
const ELECTION = ['--heartbeat-interval', '50', '--election-timeout', '500'];

export interface StartEtcdOptions {
  /** Default 1. */
  members?: 1 | 3;
  /** Client certificates are required; `true` makes an authority, or pass the one to use. */
  tls?: true | { authority: KeyPair };
  /**
   * Turns authentication on, with root and these users; needs `tls`. A user logs in with a certificate of that common name.
   */
  users?: Readonly<Record<string, readonly EtcdPermission[]>>;
  quotaBytes?: number;
  /** Further arguments of etcd. */
  args?: readonly string[];
  /** Folder of the `etcd` binary. Default: PERIPLUS_ETCD_BIN_DIR, else the PATH. Given, no container is used. */
  binaryFolder?: string;
}

export interface TestEtcd extends AsyncDisposable {
  /** How it runs, for a test report to say. */
  readonly via: 'testcontainers' | 'binary';
  /** "3.4.23" */
  readonly version: string;
  readonly endpoints: string[];
  /** On this machine: one folder per member. Removed with the cluster. */
  readonly dataDir: string;
  readonly members: readonly EtcdMember[];
  readonly tls: EtcdTls | null;
  /** What `openEtcd` takes; with TLS, as the given user (default root). */
  options(user?: string): Promise<EtcdOptions>;
  /** Resolves when the cluster answers linearizable reads. */
  ready(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts an etcd of its own for a test, on free ports: through testcontainers where a Docker engine answers (image: PERIPLUS_ETCD_IMAGE,
 * default `localhost/etcd:3.4.23`), else the etcd binary of this machine. `await using` ends it.
 */
export async function startEtcd(options: StartEtcdOptions = {}): Promise<TestEtcd> {
  const dataDir = mkdtempSync(join(tmpdir(), 'periplus-etcd-'));
  const tls =
    options.tls === undefined ? null : await createEtcdTls(options.tls === true ? undefined : options.tls.authority);
  const network = await networkFor(options);
  const plans = await planMembers(options, dataDir, tls, network !== null);
  const image = process.env.PERIPLUS_ETCD_IMAGE ?? IMAGE;
  const binary = join(options.binaryFolder ?? process.env.PERIPLUS_ETCD_BIN_DIR ?? '', 'etcd');
  const start = (plan: EtcdMemberPlan): Promise<EtcdMember> =>
    network === null ? startEtcdProcess(plan, binary) : network.start(plan, image);
  const members = await Promise.all(plans.map(start));
  const endpoints = plans.map((plan) => plan.endpoint);

  const etcd = {
    version: '',
    via: network === null ? ('binary' as const) : ('testcontainers' as const),
    endpoints,
    dataDir,
    members,
    tls,
    options: async (user = 'root'): Promise<EtcdOptions> =>
      tls === null ? { endpoints } : { endpoints, tls: await tls.client(user) },
    ready: async (): Promise<void> => waitUntilReady(await etcd.options(), members),
    async stop(): Promise<void> {
      await Promise.all(members.map((member) => member.remove()));
      await network?.remove();
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 });
    },
    [Symbol.asyncDispose]: (): Promise<void> => etcd.stop(),
  } satisfies TestEtcd;
  try {
    await etcd.ready();
    etcd.version = (await serverVersion(endpoints[0]!, (await etcd.options()).tls)) ?? 'unknown';
    if (options.users !== undefined) await createUsers(await etcd.options(), options.users);
    return etcd;
  } catch (error) {
    await etcd.stop();
    throw error;
  }
}

async function createUsers(options: EtcdOptions, users: NonNullable<StartEtcdOptions['users']>): Promise<void> {
  if (options.tls === undefined) throw new Error('startEtcd: users need tls');
  const admin = openEtcdAdmin(options);
  await admin.ensureUser('root', []);
  for (const [name, permissions] of Object.entries(users)) await admin.ensureUser(name, permissions);
  await admin.enableAuth();
  await admin.close();
}

async function networkFor({ binaryFolder }: StartEtcdOptions): Promise<EtcdContainerNetwork | null> {
  if (binaryFolder !== undefined || process.env.PERIPLUS_ETCD_BIN_DIR) return null;
  return (await dockerAnswers()) ? createEtcdNetwork() : null;
}

async function planMembers(
  { members = 1, quotaBytes, args = [] }: StartEtcdOptions,
  dataDir: string,
  tls: EtcdTls | null,
  inContainers: boolean,
): Promise<EtcdMemberPlan[]> {
  const ports = await freePorts(members * 2);
  const names = Array.from({ length: members }, (_, at) => `m${at + 1}`);
  const peerUrl = (at: number): string =>
    inContainers ? `http://${names[at]}:2380` : `http://127.0.0.1:${ports[2 * at + 1]}`;
  const cluster = names.map((name, at) => `${name}=${peerUrl(at)}`).join();
  return Promise.all(
    names.map(async (name, at) => {
      const folder = join(dataDir, name);
      mkdirSync(folder, { mode: 0o700 });
      const scheme = tls === null ? 'http' : 'https';
      const endpoint = `${scheme}://127.0.0.1:${ports[2 * at]}`;
      const tlsArgs = tls === null ? () => [] : await writeServerTls(tls, folder);
      return {
        name,
        folder,
        endpoint,
        clientPort: ports[2 * at]!,
        peerPort: ports[2 * at + 1]!,
        args: (listen) => [
          ...['--name', name, '--data-dir', `${listen.folder}/data`],
          ...['--listen-client-urls', `${scheme}://${listen.host}:${listen.clientPort}`],
          ...['--advertise-client-urls', endpoint],
          ...['--listen-peer-urls', `http://${listen.host}:${listen.peerPort}`],
          ...['--initial-advertise-peer-urls', peerUrl(at), '--initial-cluster', cluster],
          ...ELECTION,
          ...(quotaBytes === undefined ? [] : ['--quota-backend-bytes', String(quotaBytes)]),
          ...tlsArgs(listen.folder),
          ...args,
        ],
      };
    }),
  );
}

async function waitUntilReady(options: EtcdOptions, members: readonly EtcdMember[]): Promise<void> {
  const deadline = Date.now() + READY_MS_MAX;
  const client = openEtcd({ ...options, timeoutMs: 1_000 });
  try {
    for (;;) {
      const error = await lastError(client);
      if (error === null) return;
      if (Date.now() > deadline) throw new Error(`etcd is not ready: ${error.message}\n${await logsOf(members)}`);
      await pause(READY_POLL_MS);
    }
  } finally {
    await client.close();
  }
}

/** An etcd that refuses us is there. */
async function lastError(client: EtcdClient): Promise<EtcdError | null> {
  try {
    await client.range({ key: 'ready' });
    return null;
  } catch (error) {
    if (!(error instanceof EtcdError)) throw error;
    return error.reason === 'PermissionDenied' || error.reason === 'Unauthenticated' ? null : error;
  }
}

const LOG_CHARS_MAX = 4_000;

async function logsOf(members: readonly EtcdMember[]): Promise<string> {
  const logs = await Promise.all(members.map(async (member) => (await member.log()).slice(-LOG_CHARS_MAX)));
  return logs.join('\n');
}
