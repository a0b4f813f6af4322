import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** DNS label, so that it can stand in bridge names, cgroups and host names too. */
const NAME = /^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$/;

/** Where one cluster lives: `$PERIPLUS_HOME/<name>`, everything of it and nothing else. */
export interface ClusterFolder {
  readonly name: string;
  /** Tells it from clusters of the same name in other homes, where they share the machine: control groups, sockets. */
  readonly id: string;
  readonly path: string;
  /** Ports, subnets and the node of this cluster, chosen by the first `up`. */
  readonly settings: string;
  readonly kubeconfig: string;
  readonly pki: string;
  /** Keys that Secrets are sealed with at rest. */
  readonly encryptionKeys: string;
  readonly etcdData: string;
  /** The node-agent's and containerd's state. */
  readonly node: string;
  readonly logs: string;
  /** Configuration files of the components, written anew by each `up`. */
  readonly config: string;
  /** What the running supervisor says of itself; absent when none runs. */
  readonly status: string;
  /** Process ids of what it runs, to find leftovers of a supervisor that was killed. */
  readonly processes: string;
}

const ID_HASH_CHARS = 8;

const defaultHome = (): string => process.env.PERIPLUS_HOME ?? join(homedir(), '.periplus');

/** Every cluster below `home`, whether it runs or not. */
export function clusterFolders(home = defaultHome()): ClusterFolder[] {
  try {
    return readdirSync(home, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && NAME.test(entry.name))
      .map((entry) => clusterFolder(entry.name, home));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** `home` defaults to $PERIPLUS_HOME, else ~/.periplus. Throws on a name that is not a DNS label of at most 32. */
export function clusterFolder(name: string, home = defaultHome()): ClusterFolder {
  if (!NAME.test(name)) {
    throw new Error(`cluster name "${name}": use lower case letters, digits and dashes, at most 32 of them`);
  }
  const path = join(resolve(home), name);
  return {
    name,
    id: `${name}-${createHash('sha256').update(path).digest('hex').slice(0, ID_HASH_CHARS)}`,
    path,
    settings: join(path, 'cluster.json'),
    kubeconfig: join(path, 'kubeconfig'),
    pki: join(path, 'pki'),
    encryptionKeys: join(path, 'pki/encryption-keys.json'),
    etcdData: join(path, 'etcd'),
    node: join(path, 'node'),
    logs: join(path, 'logs'),
    config: join(path, 'config'),
    status: join(path, 'run/status.json'),
    processes: join(path, 'run/processes.json'),
  };
}
