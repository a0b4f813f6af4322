import type { DynamicModule, InjectionToken } from '@nestjs/common';
import { type CommandClient, openCommandClient, openResourceClient, type ResourceClient } from '@periplus/client';
import { createLogger, type Logger, Metrics } from '@periplus/component';
import { type EtcdClient, openEtcd } from '@periplus/etcd';
import { HollowNodes, NodeAgent } from '@periplus/node';
import { Keys } from '@periplus/store';
import type { NodeAgentConfig } from './config.ts';

const CONFIG: InjectionToken<NodeAgentConfig> = Symbol('config');
const KEYS: InjectionToken<Keys> = Symbol('keys');
export const LOG: InjectionToken<Logger> = Symbol('log');
export const METRICS: InjectionToken<Metrics> = Symbol('metrics');
export const ETCD: InjectionToken<EtcdClient> = Symbol('etcd');
export const COMMANDS: InjectionToken<CommandClient> = Symbol('commands');
export const RESOURCES: InjectionToken<ResourceClient> = Symbol('resources');
/** What plays the node: real or simulated. */
export const NODES: InjectionToken<NodeAgent | HollowNodes> = Symbol('nodes');

class AppModule {}

/** Everything the process is made of. Nothing connects before it is started. */
export function appModule(config: NodeAgentConfig): DynamicModule {
  const { apiServers: targets, tls } = config;
  return {
    module: AppModule,
    providers: [
      { provide: CONFIG, useValue: config },
      { provide: METRICS, useFactory: () => new Metrics() },
      { provide: KEYS, useFactory: () => new Keys(config.etcdPrefix) },
      { provide: LOG, useFactory: () => createLogger({ component: 'node-agent', level: config.logLevel }) },
      {
        provide: ETCD,
        useFactory: () => openEtcd({ endpoints: targets.map((target) => `https://${target}`), tls }),
      },
      { provide: COMMANDS, useFactory: () => openCommandClient({ targets, tls }) },
      { provide: RESOURCES, useFactory: () => openResourceClient({ targets, tls }) },
      {
        provide: NODES,
        inject: [ETCD, KEYS, COMMANDS, RESOURCES, LOG],
        useFactory: (etcd: EtcdClient, keys: Keys, commands: CommandClient, resources: ResourceClient, log: Logger) =>
          config.simulate
            ? new HollowNodes(config.simulate, { etcd, keys, commands, log })
            : new NodeAgent(config.node!, { etcd, keys, commands, resources, log }),
      },
    ],
  };
}
