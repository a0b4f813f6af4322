import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureClusterPki, kubeconfig } from '@periplus/pki';
import { newKeyFile } from '@periplus/store';
import type { ClusterFolder } from './cluster-folder.ts';
import { type ClusterSettings, firstAddress } from './settings.ts';
import { writeWholeFile } from './whole-file.ts';

/**
 * Makes the certificates, the keys that Secrets are sealed with and the kubeconfig, as far as they are missing.
 * `etcdHosts` are names of etcd's members besides localhost. The kubeconfig comes last.
 */
export async function ensureFiles(
  folder: ClusterFolder,
  settings: ClusterSettings,
  etcdHosts: readonly string[] = [],
): Promise<void> {
  await ensureClusterPki({
    folder: folder.pki,
    apiServerHosts: [settings.address, firstAddress(settings.serviceCidr)],
    etcdHosts,
    nodes: settings.node.type === 'containers' ? [{ name: settings.node.name, hosts: [settings.address] }] : [],
  });
  if (!existsSync(folder.encryptionKeys)) writeWholeFile(folder.encryptionKeys, newKeyFile(), 0o600);
  if (existsSync(folder.kubeconfig)) return;
  const read = (name: string): string => readFileSync(join(folder.pki, name), 'utf8');
  const config = kubeconfig({
    name: `periplus-${folder.name}`,
    server: `https://127.0.0.1:${settings.ports.apiServer}`,
    authority: read('ca.crt'),
    client: { cert: read('admin.crt'), key: read('admin.key') },
  });
  writeWholeFile(folder.kubeconfig, config, 0o600);
}
