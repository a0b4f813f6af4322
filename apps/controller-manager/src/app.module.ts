import type { DynamicModule, InjectionToken } from '@nestjs/common';
import { builtinKinds, coreEvent, podMetrics } from '@periplus/api';
import { ClusterCache, NO_PAST } from '@periplus/cache';
import {
  type CommandClient,
  EventRecorder,
  openCommandClient,
  openResourceClient,
  type ResourceClient,
} from '@periplus/client';
import { createLogger, type Logger, Metrics } from '@periplus/component';
import {
  builtinControllers,
  certificateEnquiries,
  secretEnquiry,
  tokenEnquiry,
  UsageFeed,
} from '@periplus/controllers';
import { type EtcdClient, openEtcd } from '@periplus/etcd';
import { type Controller, ControllerRuntime } from '@periplus/reconcile';
import type { ControllerManagerConfig } from './config.ts';

const COMPONENT = 'controller-manager';

export const LOG: InjectionToken<Logger> = Symbol('log');
export const METRICS: InjectionToken<Metrics> = Symbol('metrics');
export const ETCD: InjectionToken<EtcdClient> = Symbol('etcd');
export const CACHE: InjectionToken<ClusterCache> = Symbol('cache');
export const COMMANDS: InjectionToken<CommandClient> = Symbol('commands');
const CONTROLLERS: InjectionToken<readonly Controller[]> = Symbol('controllers');
const EVENTS: InjectionToken<EventRecorder> = Symbol('events');
export const RESOURCES: InjectionToken<ResourceClient> = Symbol('resources');
/** What pods use, for the autoscaler; runs while this process leads. */
export const USAGE: InjectionToken<UsageFeed> = Symbol('usage');
export const RUNTIME: InjectionToken<ControllerRuntime> = Symbol('runtime');

class AppModule {}

/** Everything the process is made of. Nothing runs before it is started. */
export function appModule({
  apiServers,
  tls,
  etcd,
  logLevel,
  rootCa,
  nodeMonitor,
  autoscaler,
  podNetworks,
  signing,
  signingAuthority,
  legacyTokens,
  recycler,
  endedPodsKeptMax,
}: ControllerManagerConfig): DynamicModule {
  return {
    module: AppModule,
    providers: [
      { provide: METRICS, useFactory: () => new Metrics() },
      { provide: LOG, useFactory: () => createLogger({ component: COMPONENT, level: logLevel }) },
      { provide: ETCD, useFactory: () => openEtcd({ endpoints: etcd.endpoints, tls: etcd.tls }) },
      { provide: RESOURCES, useFactory: () => openResourceClient({ targets: apiServers, tls }) },
      {
        provide: USAGE,
        inject: [RESOURCES],
        useFactory: (resources: ResourceClient) =>
          new UsageFeed({
            list: async (namespace) => (await resources.list(podMetrics, namespace)).items,
            periodMs: autoscaler.syncPeriodMs,
          }),
      },
      {
        provide: CONTROLLERS,
        inject: [USAGE, RESOURCES],
        useFactory: (usage: UsageFeed, resources: ResourceClient) =>
          builtinControllers({
            ...{ kinds: builtinKinds(), rootCaPem: rootCa.toString(), nodeMonitor, usage, autoscaler, podNetworks },
            certificates: certificateEnquiries(resources, signingAuthority),
            signing,
            bootstrapTokens: tokenEnquiry(resources),
            secrets: secretEnquiry(resources),
            legacyTokens,
            recycler,
            endedPodsKeptMax,
          }),
      },
      {
        provide: CACHE,
        inject: [ETCD, CONTROLLERS, LOG],
        useFactory: (client: EtcdClient, controllers: readonly Controller[], log: Logger) =>
          new ClusterCache({
            etcd: client,
            prefix: etcd.prefix,
            // Controllers need no payload of a Secret.
            cipher: null,
            withoutManagers: true,
            // Often most of what there is, and nothing that a controller acts on.
            only: ({ group, resource }) => group !== coreEvent.group || resource !== coreEvent.plural,
            indexes: [...new Set(controllers.flatMap(({ indexes }) => indexes))],
            liveness: true,
            window: NO_PAST,
            log,
          }),
      },
      { provide: COMMANDS, useFactory: () => openCommandClient({ targets: apiServers, tls }) },
      {
        provide: EVENTS,
        inject: [COMMANDS, METRICS, LOG],
        useFactory: (commands: CommandClient, metrics: Metrics, log: Logger) => {
          const lost = metrics.counter('events_lost_total', 'Kubernetes Events that could not be written.');
          const onLost = (error: Error): void => {
            lost.add();
            log.debug({ error }, 'an event was lost');
          };
          return new EventRecorder({ commands, component: COMPONENT, onLost });
        },
      },
      {
        provide: RUNTIME,
        inject: [CONTROLLERS, CACHE, COMMANDS, EVENTS, METRICS, LOG],
        useFactory: (
          controllers: readonly Controller[],
          cluster: ClusterCache,
          commands: CommandClient,
          events: EventRecorder,
          metrics: Metrics,
          log: Logger,
        ) =>
          new ControllerRuntime({
            component: COMPONENT,
            controllers,
            cluster,
            commands,
            log,
            metrics,
            record: (event) => events.record(event),
          }),
      },
    ],
  };
}
