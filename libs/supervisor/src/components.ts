import { isIP } from 'node:net';
import { join } from 'node:path';
import type { ClusterFolder } from './cluster-folder.ts';
import { containerPaths, podControlGroup } from './containers.ts';
import { type ClusterSettings, firstAddress, OPTIONAL_COMPONENTS } from './settings.ts';
import type { ProcessSpec } from './supervised-process.ts';
import { writeJsonFile } from './whole-file.ts';

/** Of every key in etcd. */
export const STORE_PREFIX = '/periplus';

export const COMPONENT_NAMES = ['api-server', ...OPTIONAL_COMPONENTS] as const;
export type ComponentName = (typeof COMPONENT_NAMES)[number];

export interface ComponentContext {
  folder: ClusterFolder;
  settings: ClusterSettings;
  /** Where etcd is: `https://host:port` of each member. */
  etcdEndpoints: readonly string[];
  /** Where components find the api-server. */
  apiServerHost: string;
}

/** Longer than a component gives itself to stop. */
const STOP_MS_MAX = 20_000;

/** glibc gives each of a process's dozen threads memory of its own; two shared ones save 10 MB in all. */
const MEMORY_ARENAS = { MALLOC_ARENA_MAX: '2' };

/** Writes the component's configuration file. Returns its path. */
export function configure(name: ComponentName, context: ComponentContext): string {
  const path = join(context.folder.config, `${name}.json`);
  writeJsonFile(path, configurationOf[name](context));
  return path;
}

/** How to run a component of which `configure` wrote the file. `dist` is where the bundles of the applications are. */
export function component(name: ComponentName, context: ComponentContext, dist: string): ProcessSpec {
  return {
    name,
    command: process.execPath,
    args: [join(dist, name, 'main.js'), '--config', configure(name, context)],
    env: MEMORY_ARENAS,
    logFile: join(context.folder.logs, `${name}.log`),
    stopMsMax: STOP_MS_MAX,
  };
}

const pair = (folder: string, name: string) => ({
  ca: join(folder, 'ca.crt'),
  cert: join(folder, `${name}.crt`),
  key: join(folder, `${name}.key`),
});

const etcd = ({ folder, etcdEndpoints }: ComponentContext, user: string) => ({
  endpoints: etcdEndpoints,
  prefix: STORE_PREFIX,
  tls: pair(join(folder.pki, 'etcd'), user),
});

const apiServers = ({ settings, apiServerHost }: ComponentContext): string[] => [
  `${apiServerHost}:${settings.ports.grpc}`,
];
/** Certificates of nodes lie a folder below their authority's. */
const nodePair = ({ folder }: ComponentContext, name: string) => ({
  ...pair(join(folder.pki, 'nodes'), name),
  ca: join(folder.pki, 'ca.crt'),
});

const configurationOf: Record<ComponentName, (context: ComponentContext) => Record<string, unknown>> = {
  'api-server': (context) => {
    const { folder, settings } = context;
    const pki = (name: string): string => join(folder.pki, name);
    return {
      ...settings.apiServer,
      host: '0.0.0.0',
      port: settings.ports.apiServer,
      grpcPort: settings.ports.grpc,
      healthPort: settings.ports.apiServerHealth,
      // A name is no endpoint of a Service; the api-server finds its own address then.
      ...(isIP(settings.address) && { advertiseAddress: settings.address }),
      etcd: { ...etcd(context, 'api-server'), probe: pair(join(folder.pki, 'etcd'), 'probe') },
      tls: { cert: pki('apiserver.crt'), key: pki('apiserver.key'), clientCa: pki('ca.crt') },
      nodeClient: pair(folder.pki, 'apiserver-kubelet-client'),
      serviceAccounts: { signingKey: pki('sa.key'), verificationKey: pki('sa.pub') },
      encryptionKeys: folder.encryptionKeys,
      serviceCidr: settings.serviceCidr,
    };
  },
  'controller-manager': (context) => ({
    ...context.settings.controllerManager,
    apiServers: apiServers(context),
    tls: pair(context.folder.pki, 'controller-manager'),
    etcd: etcd(context, 'controller-manager'),
    rootCaFile: join(context.folder.pki, 'ca.crt'),
    clusterSigning: { cert: join(context.folder.pki, 'ca.crt'), key: join(context.folder.pki, 'ca.key') },
    health: { port: context.settings.ports.controllerManagerHealth },
  }),
  scheduler: (context) => ({
    ...context.settings.scheduler,
    apiServers: apiServers(context),
    tls: pair(context.folder.pki, 'scheduler'),
    etcd: etcd(context, 'scheduler'),
    health: { port: context.settings.ports.schedulerHealth },
  }),
  'node-agent': (context) => {
    const { folder, settings } = context;
    const common = {
      apiServers: apiServers(context),
      etcdPrefix: STORE_PREFIX,
      health: { port: settings.ports.nodeHealth },
    };
    if (settings.node.type === 'simulated') {
      return { ...common, tls: pair(folder.pki, 'simulated-nodes'), simulate: { nodes: settings.node.count } };
    }
    const paths = containerPaths(folder, settings);
    return {
      ...common,
      tls: nodePair(context, settings.node.name),
      node: {
        name: settings.node.name,
        podCidr: settings.podCidr,
        runtimeSocket: paths.socket,
        directory: join(folder.node, 'agent'),
        logDirectory: join(folder.node, 'pod-logs'),
        cgroupRoot: podControlGroup(folder),
        apiService: { host: firstAddress(settings.serviceCidr), port: 443 },
        server: { port: settings.ports.kubelet },
      },
    };
  },
};
