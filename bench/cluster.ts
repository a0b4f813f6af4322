import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openEtcd } from '@periplus/etcd';
import { type ClusterFolder, type ClusterSettings, clusterFolder, loadSettings } from '@periplus/supervisor';

const run = promisify(execFile);
export const CLI = join(import.meta.dirname, '../dist/cli/main.js');

/** A cluster of `periplus up`, in a home of its own. */
export interface BenchCluster extends AsyncDisposable {
  home: string;
  folder: ClusterFolder;
  settings: ClusterSettings;
  /** TLS of its administrator. */
  admin: { host: string; port: number; ca: Buffer; cert: Buffer; key: Buffer };
  periplus(...args: string[]): Promise<string>;
  /** etcd, as root. */
  etcd(): ReturnType<typeof openEtcd>;
}

/** Brings up a cluster with simulated nodes, or with real containers when `simulate` is 0. */
export async function startCluster(simulate: number): Promise<BenchCluster> {
  const home = mkdtempSync(join(tmpdir(), 'periplus-bench-'));
  const periplus = async (...args: string[]): Promise<string> =>
    (await run(process.execPath, [CLI, ...args], { env: { ...process.env, PERIPLUS_HOME: home }, maxBuffer: 64 << 20 }))
      .stdout;
  await periplus('up', '--detach', ...(simulate > 0 ? ['--simulate', String(simulate)] : []));
  const folder = clusterFolder('default', home);
  const settings = loadSettings(folder)!;
  const pki = (name: string): Buffer => readFileSync(join(folder.pki, name));
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
