import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type EtcdClient, openEtcd } from '@periplus/etcd';
import {
  AdminApi,
  type ClusterFolder,
  type ClusterSettings,
  type ClusterStatus,
  clusterFolder,
  loadSettings,
  type OptionalComponent,
  readStatus,
} from '@periplus/supervisor';
import { type CommandOptions, type CommandOutput, kubectl } from './kubectl.ts';

const run = promisify(execFile);
const NAME = 'default';
const OUTPUT_BYTES_MAX = 64 << 20;

/** The built command-line tool: `npm run build` makes it. */
export const PERIPLUS = join(import.meta.dirname, '../../../dist/cli/main.js');
/** The image of samples/hello.yaml. */
export const HELLO_ARCHIVE = join(import.meta.dirname, '../../../dist/samples/hello.tar');

/** A cluster of `periplus up`, in a home of its own. */
export interface TestCluster extends AsyncDisposable {
  home: string;
  folder: ClusterFolder;
  settings: ClusterSettings;
  /** TLS of its administrator, and where the API is. */
  admin: { host: string; port: number; ca: Buffer; cert: Buffer; key: Buffer };
  /** Runs `periplus` on it. Rejects when that fails. */
  periplus(...args: string[]): Promise<string>;
  /** Runs the real kubectl. Rejects with what it printed unless it exits with 0. */
  kubectl(...args: string[]): Promise<string>;
  /** The same, whatever the exit code. */
  tryKubectl(args: readonly string[], options?: Omit<CommandOptions, 'kubeconfig' | 'home'>): Promise<CommandOutput>;
  /** What its supervisor says. */
  status(): ClusterStatus;
  api(): AdminApi;
  /** etcd, as root. The caller closes it. */
  etcd(): EtcdClient;
}

/**
 * Brings up a cluster with that many simulated nodes, or with a node that runs real containers when there are 0; or
 * without some of the components.
 */
export async function startCluster(simulate: number, without: readonly OptionalComponent[] = []): Promise<TestCluster> {
  const home = mkdtempSync(join(tmpdir(), 'periplus-'));
  const environment = { ...process.env, PERIPLUS_HOME: home };
  const periplus = async (...args: string[]): Promise<string> => {
    const options = { env: environment, maxBuffer: OUTPUT_BYTES_MAX };
    return (await run(process.execPath, [PERIPLUS, ...args], options)).stdout;
  };
  const folder = clusterFolder(NAME, home);
  const nodes = simulate > 0 ? ['--simulate', String(simulate)] : [];
  const rest = without.length > 0 ? ['--without', without.join()] : [];
  await periplus('up', '--detach', ...nodes, ...rest).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}\n${logTail(folder)}`);
  });
  const settings = loadSettings(folder)!;
  const pki = (name: string): Buffer => readFileSync(join(folder.pki, name));
  const tryKubectl: TestCluster['tryKubectl'] = (args, options) =>
    kubectl(args, { kubeconfig: folder.kubeconfig, home, ...options });
  return {
    home,
    folder,
    settings,
    admin: {
      host: '127.0.0.1',
      port: settings.ports.apiServer,
      ca: pki('ca.crt'),
      cert: pki('admin.crt'),
      key: pki('admin.key'),
    },
    periplus,
    async kubectl(...args) {
      const { code, stdout, stderr } = await tryKubectl(args);
      if (code !== 0) throw new Error(`kubectl ${args.join(' ')} exited with ${code}: ${stderr}${stdout}`);
      return stdout;
    },
    tryKubectl,
    status: () => readStatus(folder)!,
    api: () => new AdminApi(folder, settings.ports.apiServer),
    etcd: () =>
      openEtcd({
        endpoints: [`https://127.0.0.1:${settings.ports.etcdClient}`],
        tls: { ca: pki('etcd/ca.crt'), cert: pki('etcd/root.crt'), key: pki('etcd/root.key') },
      }),
    async [Symbol.asyncDispose]() {
      await periplus('down', '--delete');
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** What the supervisor said last, for the message of a cluster that did not come up. */
function logTail(folder: ClusterFolder): string {
  try {
    return readFileSync(join(folder.logs, 'supervisor.log'), 'utf8').split('\n').slice(-10).join('\n');
  } catch {
    return '';
  }
}
