import type { DynamicModule, InjectionToken } from '@nestjs/common';
import { ClusterCache, NO_PAST } from '@periplus/cache';
import { type CommandClient, EventRecorder, openCommandClient } from '@periplus/client';
import { createLogger, type Logger, Metrics } from '@periplus/component';
import { type EtcdClient, openEtcd } from '@periplus/etcd';
import { SCHEDULER_NAME, SCHEDULER_RESOURCES, Scheduler, schedulerMetrics } from '@periplus/scheduling';
import type { SchedulerConfig } from './config.ts';

export const LOG: InjectionToken<Logger> = Symbol('log');
export const METRICS: InjectionToken<Metrics> = Symbol('metrics');
export const ETCD: InjectionToken<EtcdClient> = Symbol('etcd');
export const CACHE: InjectionToken<ClusterCache> = Symbol('cache');
export const COMMANDS: InjectionToken<CommandClient> = Symbol('commands');
/** Makes a scheduler for each time that this process leads. */
export const NEW_SCHEDULER: InjectionToken<() => Scheduler> = Symbol('new scheduler');

class AppModule {}

/** Everything the process is made of. Nothing connects before it is started. */
export function appModule({ apiServers, tls, etcd, logLevel, settings }: SchedulerConfig): DynamicModule {
  return {
    module: AppModule,
    providers: [
      { provide: METRICS, useFactory: () => new Metrics() },
      { provide: LOG, useFactory: () => createLogger({ component: 'scheduler', level: logLevel }) },
      { provide: ETCD, useFactory: () => openEtcd({ endpoints: etcd.endpoints, tls: etcd.tls }) },
      {
        provide: CACHE,
        inject: [ETCD, LOG],
        useFactory: (client: EtcdClient, log: Logger) =>
          new ClusterCache({
            etcd: client,
            prefix: etcd.prefix,
            cipher: null,
            withoutManagers: true,
            only: ({ group, resource }) =>
              SCHEDULER_RESOURCES.some((one) => one.group === group && one.resource === resource),
            window: NO_PAST,
            log,
          }),
      },
      { provide: COMMANDS, useFactory: () => openCommandClient({ targets: apiServers, tls }) },
      {
        provide: NEW_SCHEDULER,
        inject: [CACHE, COMMANDS, METRICS, LOG],
        useFactory: (cache: ClusterCache, commands: CommandClient, metrics: Metrics, log: Logger) => {
          const measured = schedulerMetrics(metrics);
          const events = new EventRecorder({ commands, component: SCHEDULER_NAME });
          return () => new Scheduler({ cache, commands, events, metrics: measured, log, ...settings });
        },
      },
    ],
  };
}
