import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureClusterPki, kubeconfig } from '@periplus/pki';
import { newKeyFile } from '@periplus/store';
import type { ClusterFolder } from './cluster-folder.ts';
import { type ClusterSettings, firstAddress } from './settings.ts';
import { writeWholeFile } from './whole-file.ts';

/** Names of the machines that other processes reach these at, besides this machine's own. */
export interface FurtherHosts {
  apiServer: readonly string[];
  etcd: readonly string[];
}

/**
 * Makes the certificates, the keys that Secrets are sealed with and the kubeconfig, as far as they are missing.
 * Returns whether the kubeconfig was, which comes last.
 */
export async function ensureFiles(
  folder: ClusterFolder,
  settings: ClusterSettings,
  hosts: FurtherHosts = { apiServer: [], etcd: [] },
): Promise<boolean> {
  await ensureClusterPki({
    folder: folder.pki,
    apiServerHosts: [settings.address, firstAddress(settings.serviceCidr), ...hosts.apiServer],
    etcdHosts: hosts.etcd,
    nodes: settings.node.type === 'containers' ? [{ name: settings.node.name, hosts: [settings.address] }] : [],
  });
  if (!existsSync(folder.encryptionKeys)) writeWholeFile(folder.encryptionKeys, newKeyFile(), 0o600);
  if (existsSync(folder.kubeconfig)) return false;
  const read = (name: string): string => readFileSync(join(folder.pki, name), 'utf8');
  const config = kubeconfig({
    name: `periplus-${folder.name}`,
    server: `https://127.0.0.1:${settings.ports.apiServer}`,
    authority: read('ca.crt'),
    client: { cert: read('admin.crt'), key: read('admin.key') },
  });
  writeWholeFile(folder.kubeconfig, config, 0o600);
  return true;
}
