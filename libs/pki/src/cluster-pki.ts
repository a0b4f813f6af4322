import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createAuthority, issueCertificate, type KeyPair, type LeafRequest } from './certificate.ts';

/**
 * Two authorities, so that no certificate of the cluster logs in to etcd. File names follow kubeadm:
 * https://kubernetes.io/docs/setup/best-practices/certificates/
 */
const CLUSTER_CERTIFICATES: Readonly<Record<string, LeafRequest>> = {
  apiserver: { commonName: 'kube-apiserver', usages: ['server'] },
  'apiserver-kubelet-client': {
    commonName: 'kube-apiserver-kubelet-client',
    organizations: ['system:masters'],
    usages: ['client'],
  },
  admin: { commonName: 'kubernetes-admin', organizations: ['system:masters'], usages: ['client'] },
  scheduler: { commonName: 'system:kube-scheduler', usages: ['client'] },
  'controller-manager': { commonName: 'system:kube-controller-manager', usages: ['client'] },
  // Plays every simulated node, so it may do what all of them together may.
  'simulated-nodes': { commonName: 'periplus:simulated-nodes', organizations: ['system:masters'], usages: ['client'] },
};

/** The common name is the etcd user. */
const ETCD_CERTIFICATES: Readonly<Record<string, LeafRequest>> = {
  // Members talk to each other with it too.
  'etcd/server': { commonName: 'etcd-server', usages: ['server', 'client'] },
  'etcd/root': { commonName: 'root', usages: ['client'] },
  'etcd/api-server': { commonName: 'api-server', usages: ['client'] },
  'etcd/scheduler': { commonName: 'scheduler', usages: ['client'] },
  'etcd/controller-manager': { commonName: 'controller-manager', usages: ['client'] },
  'etcd/probe': { commonName: 'probe', usages: ['client'] },
};

export interface ClusterPkiOptions {
  /** Folder that the files go to: `ca.crt`, `apiserver.crt`, `etcd/ca.crt`, ... */
  folder: string;
  /** Names and addresses of the API server besides localhost, 127.0.0.1 and its names within the cluster. */
  apiServerHosts: readonly string[];
  /** Names and addresses of etcd's members besides localhost. */
  etcdHosts?: readonly string[];
  /** Nodes to issue certificates for: `nodes/<name>.crt`, both client and server. */
  nodes: readonly { name: string; hosts: readonly string[] }[];
}

const LOCAL_HOSTS = ['localhost', '127.0.0.1', '::1'];
const API_SERVER_NAMES = [
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
];

/**
 * Makes every certificate and key of a cluster that is not there yet, and leaves those that are. Private keys are
 * readable by their owner only. A crash in between leaves whole files; the next call makes the rest.
 */
export async function ensureClusterPki(options: ClusterPkiOptions): Promise<void> {
  const { folder } = options;
  const cluster = await ensureAuthority(join(folder, 'ca'), 'kubernetes');
  const etcd = await ensureAuthority(join(folder, 'etcd/ca'), 'etcd-ca');
  const wanted: [KeyPair, Record<string, LeafRequest>][] = [
    [
      cluster,
      withHosts(CLUSTER_CERTIFICATES, 'apiserver', [...LOCAL_HOSTS, ...API_SERVER_NAMES, ...options.apiServerHosts]),
    ],
    [cluster, Object.fromEntries(options.nodes.map(nodeCertificate))],
    [etcd, withHosts(ETCD_CERTIFICATES, 'etcd/server', [...LOCAL_HOSTS, ...(options.etcdHosts ?? [])])],
  ];
  for (const [authority, requests] of wanted) {
    await Promise.all(
      Object.entries(requests).map(async ([name, request]) => {
        const path = join(folder, name);
        if (!hasPair(path)) writePair(path, await issueCertificate(authority, request));
      }),
    );
  }
  ensureServiceAccountKeys(folder);
}

const nodeCertificate = ({ name, hosts }: { name: string; hosts: readonly string[] }): [string, LeafRequest] => [
  `nodes/${name}`,
  {
    commonName: `system:node:${name}`,
    organizations: ['system:nodes'],
    usages: ['client', 'server'],
    hosts: [name, ...LOCAL_HOSTS, ...hosts],
  },
];

const withHosts = (requests: Readonly<Record<string, LeafRequest>>, name: string, hosts: string[]) => ({
  ...requests,
  [name]: { ...requests[name]!, hosts: [...new Set(hosts)] },
});

async function ensureAuthority(path: string, commonName: string): Promise<KeyPair> {
  if (hasPair(path)) return { cert: readFileSync(`${path}.crt`, 'utf8'), key: readFileSync(`${path}.key`, 'utf8') };
  const pair = await createAuthority(commonName);
  writePair(path, pair);
  return pair;
}

/** Signs service account tokens (`sa.key`) and checks them (`sa.pub`). */
function ensureServiceAccountKeys(folder: string): void {
  if (existsSync(join(folder, 'sa.key')) && existsSync(join(folder, 'sa.pub'))) return;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeWhole(join(folder, 'sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }).toString(), 0o644);
  writeWhole(join(folder, 'sa.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600);
}

const hasPair = (path: string): boolean => existsSync(`${path}.crt`) && existsSync(`${path}.key`);

function writePair(path: string, pair: KeyPair): void {
  writeWhole(`${path}.key`, pair.key, 0o600);
  writeWhole(`${path}.crt`, pair.cert, 0o644);
}

function writeWhole(path: string, content: string, mode: number): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  writeFileSync(`${path}.new`, content, { mode });
  renameSync(`${path}.new`, path);
}
