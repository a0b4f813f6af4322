import { join } from 'node:path';
import type { ClusterFolder } from './cluster-folder.ts';
import { containerPaths, podControlGroup } from './containers.ts';
import { etcdEndpoint } from './etcd-server.ts';
import type { ClusterSettings } from './settings.ts';
import type { ProcessSpec } from './supervised-process.ts';
import { writeJsonFile } from './whole-file.ts';

export type ComponentName = 'api-server' | 'controller-manager' | 'scheduler' | 'node-agent';

export interface ComponentContext {
  folder: ClusterFolder;
  settings: ClusterSettings;
  /** Where the bundles of the applications are. */
  dist: string;
  /** Of every key in etcd. */
  prefix: string;
}

/** Longer than a component gives itself to stop. */
const STOP_MS_MAX = 20_000;

/** Writes the component's configuration file and says how to run it. */
export function component(name: ComponentName, context: ComponentContext): ProcessSpec {
  const config = join(context.folder.config, `${name}.json`);
  writeJsonFile(config, configurationOf[name](context));
  return {
    name,
    command: process.execPath,
    args: ['--enable-source-maps', join(context.dist, name, 'main.js'), '--config', config],
    logFile: join(context.folder.logs, `${name}.log`),
    stopMsMax: STOP_MS_MAX,
  };
}

const pair = (folder: string, name: string) => ({
  cert: join(folder, `${name}.crt`),
  key: join(folder, `${name}.key`),
});

const etcd = ({ folder, settings, prefix }: ComponentContext, user: string) => ({
  endpoints: [etcdEndpoint(settings)],
  prefix,
  ca: join(folder.pki, 'etcd/ca.crt'),
  ...pair(join(folder.pki, 'etcd'), user),
});
