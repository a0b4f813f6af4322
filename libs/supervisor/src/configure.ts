import { rmSync } from 'node:fs';
import type { ClusterFolder } from './cluster-folder.ts';
import { COMPONENT_NAMES, configure, STORE_PREFIX } from './components.ts';
import { eventually } from './readiness.ts';
import { type PortName, remoteSettings } from './settings.ts';

const ETCD_MS_MAX = 60_000;
/** Members that have no leader yet don't answer at all. */
const ETCD_ANSWER_MS_MAX = 1_000;

export interface RemoteCluster {
  folder: ClusterFolder;
  /** `https://host:port` of each member; the hosts go into etcd's certificate. */
  etcdEndpoints: readonly string[];
  /** Name or address that the api-server is reached at; goes into its certificate. */
  apiServerHost: string;
  ports: Partial<Record<PortName, number>>;
  simulatedNodes: number;
}

/**
 * Writes what a cluster needs whose processes somebody else runs: certificates, keys, kubeconfig and a configuration
 * file per component, whose paths it returns. Certificates and keys that are there stay; the rest is written anew.
 */
export async function configureCluster(cluster: RemoteCluster): Promise<string[]> {
  const { folder, etcdEndpoints, apiServerHost, ports, simulatedNodes } = cluster;
  // Loaded when it is needed: a supervisor has this module too, and stays small.
  const { ensureFiles } = await import('./files.ts');
  const settings = remoteSettings({ ports, simulatedNodes, address: apiServerHost });
  // Its port may have been another one.
  rmSync(folder.kubeconfig, { force: true });
  await ensureFiles(folder, settings, etcdEndpoints.map(hostOf));
  return COMPONENT_NAMES.map((name) => configure(name, { folder, settings, etcdEndpoints, apiServerHost }));
}

const hostOf = (endpoint: string): string => new URL(endpoint).hostname.replace(/^\[|\]$/g, '');

/** Waits until etcd answers, and secures it for a cluster that `configureCluster` wrote the files of. May be repeated. */
export async function secureCluster(folder: ClusterFolder, etcdEndpoints: readonly string[]): Promise<void> {
  const [{ openEtcd }, { rootLogin, secureEtcd }] = await Promise.all([
    import('@periplus/etcd'),
    import('./etcd-roles.ts'),
  ]);
  const root = rootLogin(folder, etcdEndpoints);
  const etcd = openEtcd({ ...root, timeoutMs: ETCD_ANSWER_MS_MAX });
  let failure = '';
  const answers = async (): Promise<boolean> => {
    try {
      await etcd.range({ key: STORE_PREFIX });
      return true;
    } catch (error) {
      failure = (error as Error).message;
      return false;
    }
  };
  try {
    await eventually(`etcd at ${etcdEndpoints.join(', ')}`, answers, { msMax: ETCD_MS_MAX });
  } catch (error) {
    throw new Error(`${(error as Error).message}: ${failure}`, { cause: error });
  } finally {
    await etcd.close();
  }
  await secureEtcd(root, STORE_PREFIX);
}
