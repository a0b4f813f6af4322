import { basename, dirname, resolve } from 'node:path';
import {
  type ClusterFolder,
  clusterFolder,
  configureCluster,
  handOut,
  type PortName,
  secureCluster,
} from '@periplus/supervisor';

export interface ConfigureOptions {
  folder: string;
  etcd: string[];
  apiServer: string;
  simulate: number;
  port?: Partial<Record<PortName, number>>;
  handOut?: string;
}

/** Collects `--etcd https://host:port`. */
export function parseEndpoints(text: string, before: string[] = []): string[] {
  const url = URL.parse(text);
  if (url?.protocol !== 'https:' || url.port === '') throw new Error(`--etcd ${text}: write https://host:port`);
  return [...before, url.origin];
}

/** The folder's own name is the cluster's. */
const folderAt = (path: string): ClusterFolder => clusterFolder(basename(resolve(path)), dirname(resolve(path)));

export async function configure(options: ConfigureOptions): Promise<void> {
  const folder = folderAt(options.folder);
  const files = await configureCluster({
    folder,
    etcdEndpoints: options.etcd,
    apiServerHost: options.apiServer,
    ports: options.port ?? {},
    simulatedNodes: options.simulate,
  });
  const handedOut = options.handOut === undefined ? [] : handOut(folder, resolve(options.handOut));
  for (const path of [folder.kubeconfig, ...files, ...handedOut]) process.stdout.write(`wrote ${path}\n`);
}

export async function secure(options: { folder: string; etcd: string[] }): Promise<void> {
  await secureCluster(folderAt(options.folder), options.etcd);
  process.stdout.write('etcd lets in only the users of the cluster now\n');
}
