import { hostname } from 'node:os';
import { machineAddress } from '@periplus/component';
import type { ClusterFolder } from './cluster-folder.ts';
import { takeAnyPort, takePort } from './ports.ts';
import { createJsonFile, readJsonFile } from './whole-file.ts';

/** Kubernetes' own ports where it has them; the others stand beside them. */
const DEFAULT_PORTS = {
  apiServer: 6443,
  grpc: 6444,
  apiServerHealth: 6445,
  etcdClient: 2379,
  etcdPeer: 2380,
  etcdMetrics: 2381,
  kubelet: 10_250,
  nodeHealth: 10_248,
  controllerManagerHealth: 10_257,
  schedulerHealth: 10_259,
} as const;

export type PortName = keyof typeof DEFAULT_PORTS;
export const PORT_NAMES = Object.keys(DEFAULT_PORTS) as PortName[];

/** What a cluster can do without: the api-server on its etcd is there in any case. */
export const OPTIONAL_COMPONENTS = ['controller-manager', 'scheduler', 'node-agent'] as const;
export type OptionalComponent = (typeof OPTIONAL_COMPONENTS)[number];

/** What a cluster keeps of its first `up`. */
export interface ClusterSettings {
  /** Format of this file. */
  version: 1;
  ports: Record<PortName, number>;
  /** Real containers on one node of this name, or that many hollow nodes (0 without a node-agent). */
  node: { type: 'containers'; name: string } | { type: 'simulated'; count: number };
  /** Components that this cluster does without. */
  without?: readonly OptionalComponent[];
  /** Where pods and other machines reach this one. */
  address: string;
  serviceCidr: string;
  /** Addresses of this cluster's pods; another cluster on the machine has another one. */
  podCidr: string;
  /** Written by hand: further fields of the api-server's configuration, such as `oidc` and `tokenWebhook`. */
  apiServer?: Record<string, unknown>;
  /** Likewise of the scheduler's, such as `profiles`. */
  scheduler?: Record<string, unknown>;
  /** And of the controller-manager's: `autoscaler`. */
  controllerManager?: Record<string, unknown>;
}

const SERVICE_CIDR = '10.96.0.0/16';

export interface SettingsRequest {
  ports: Partial<Record<PortName, number>>;
  node: ClusterSettings['node'];
  without?: readonly OptionalComponent[];
  /** Pod ranges of the other clusters on this machine. */
  takenPodCidrs: readonly string[];
}

/** The settings of the cluster, or undefined before its first `up`. */
export function loadSettings(folder: ClusterFolder): ClusterSettings | undefined {
  const settings = readJsonFile<ClusterSettings>(folder.settings);
  if (settings && settings.version !== 1) {
    throw new Error(`${folder.settings} has format ${settings.version}; this release reads format 1`);
  }
  return settings;
}

/** Keeps the settings of a new cluster. False when somebody else has been faster, whose settings stay. */
export const createSettings = (folder: ClusterFolder, settings: ClusterSettings): boolean =>
  createJsonFile(folder.settings, settings);

/**
 * Settings for a new cluster: default ports where they are free, free ones elsewhere. This process has taken them. Throws
 * when a port that is asked for is not free.
 */
export async function newSettings(request: SettingsRequest): Promise<ClusterSettings> {
  const ports = {} as Record<PortName, number>;
  const chosen = new Set(Object.values(request.ports));
  for (const name of PORT_NAMES) {
    const wanted = request.ports[name];
    if (wanted !== undefined) {
      if (!(await takePort(wanted))) throw new Error(`port ${wanted} (${name}) is taken by another program`);
      ports[name] = wanted;
      continue;
    }
    const preferred = DEFAULT_PORTS[name];
    ports[name] = !chosen.has(preferred) && (await takePort(preferred)) ? preferred : await takeAnyPort(chosen);
    chosen.add(ports[name]);
  }
  return {
    version: 1,
    ports,
    node: request.node,
    ...(request.without && { without: request.without }),
    address: machineAddress(),
    serviceCidr: SERVICE_CIDR,
    podCidr: freePodCidr(request.takenPodCidrs),
  };
}

/** Settings for processes that run elsewhere: default ports, since nobody sees from here which are free there. */
export const remoteSettings = (request: {
  ports: Partial<Record<PortName, number>>;
  simulatedNodes: number;
  address: string;
}): ClusterSettings => ({
  version: 1,
  ports: { ...DEFAULT_PORTS, ...request.ports },
  node: { type: 'simulated', count: request.simulatedNodes },
  address: request.address,
  serviceCidr: SERVICE_CIDR,
  podCidr: freePodCidr([]),
});

/** The first of 10.244.0.0/16, 10.243.0.0/16, ... that no other cluster has. */
function freePodCidr(taken: readonly string[]): string {
  for (let second = 244; second > 128; second -= 1) {
    const cidr = `10.${second}.0.0/16`;
    if (!taken.includes(cidr)) return cidr;
  }
  throw new Error(
    'no pod address range is left: this machine has too many clusters; remove some with periplus down --delete',
  );
}

/** The machine's name as a node name: RFC 1123, at most 63 characters. */
export function defaultNodeName(): string {
  const name = hostname()
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 63);
  return name || 'node';
}

/** The address of the `kubernetes` Service: the first one of the range. */
export function firstAddress(cidr: string): string {
  const octets = cidr.slice(0, cidr.indexOf('/')).split('.').map(Number);
  octets[3]! += 1;
  return octets.join('.');
}
