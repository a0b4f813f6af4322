import 'reflect-metadata';
import type { DynamicModule, Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { builtinKinds, type KindRegistry } from '@periplus/api';
import { ClusterCache } from '@periplus/cache';
import { type Logger, Metrics } from '@periplus/component';
import { type EtcdClient, openEtcd } from '@periplus/etcd';
import { type EtcdGate, etcdGateServices, identityOfCertificate } from '@periplus/etcd-gate';
import { type GrpcServer, startGrpcServer } from '@periplus/grpc-api';
import { cacheIndexes } from '@periplus/operations';
import { type RestServer, startRestServer } from '@periplus/rest';
import { type Cipher, type GroupCommit, openCipher, openStore } from '@periplus/store';
import type { Config } from './config.ts';
import { type Core, startCore } from './core.ts';
import { type Checks, checksOf, observeStore, serveLoopback } from './health.ts';
import { checkEtcdRoles } from './role-check.ts';

const CONFIG = Symbol('config');
const LOG = Symbol('log');
const STOPPING = Symbol('stopping');
const METRICS = Symbol('metrics');
const KINDS = Symbol('kinds');
const ETCD = Symbol('etcd');
const CIPHER = Symbol('cipher');
const STORE = Symbol('store');
const CACHE = Symbol('cache');
const CORE = Symbol('core');
const CHECKS = Symbol('checks');
const REST = Symbol('rest');
const GATE_ETCD = Symbol('gate etcd');
const GATE = Symbol('gate');
const GRPC = Symbol('grpc');
const LOOPBACK = Symbol('loopback');

/** A running api-server. */
export interface ApiServer {
  port: number;
  grpcPort: number;
  /** Ends watches, lets requests end, then lets go of etcd. */
  close(): Promise<void>;
}

class ApiServerModule {}

/** Starts the api-server; resolves when it serves. Rejects when that fails, or `signal` aborts before. */
export async function startApiServer(config: Config, log: Logger, signal: AbortSignal): Promise<ApiServer> {
  const stopping = new AbortController();
  const giveUp = () => stopping.abort(signal.reason);
  signal.addEventListener('abort', giveUp, { once: true });
  const module: DynamicModule = {
    module: ApiServerModule,
    providers: [
      { provide: CONFIG, useValue: config },
      { provide: LOG, useValue: log },
      { provide: STOPPING, useValue: stopping.signal },
      ...state,
      ...servers,
    ],
  };
  const context = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  // From here on a signal is answered by `close`, which lets requests end first.
  signal.removeEventListener('abort', giveUp);
  const rest = context.get<RestServer>(REST);
  const grpc = context.get<GrpcServer>(GRPC);
  log.info({ port: rest.port, grpcPort: grpc.port }, 'serving');
  void checkEtcdRoles(config, context.get<EtcdClient>(ETCD), log);
  return {
    port: rest.port,
    grpcPort: grpc.port,
    async close() {
      const core = context.get<Core>(CORE);
      await rest.drain();
      const closed = Promise.all([rest.close(), grpc.close()]);
      // A watch that came after this would never hear anything.
      core.operations.close();
      context.get<EtcdGate>(GATE).close();
      await closed;
      await core.close();
      stopping.abort();
      await context.get<GroupCommit>(STORE).close();
      await Promise.all([context.get<EtcdClient>(ETCD).close(), context.get<EtcdClient>(GATE_ETCD).close()]);
      await context.get<{ close(): Promise<void> } | null>(LOOPBACK)?.close();
    },
  };
}

const openEtcdOf = ({ etcd: { endpoints, tls } }: Config): EtcdClient => openEtcd({ endpoints, ...(tls && { tls }) });

/** What the api-server knows and does, below any wire format. */
const state: Provider[] = [
  { provide: METRICS, useFactory: () => new Metrics() },
  { provide: KINDS, useFactory: builtinKinds },
  { provide: ETCD, useFactory: openEtcdOf, inject: [CONFIG] },
  { provide: CIPHER, useFactory: (config: Config) => openCipher(config.encryptionKeys), inject: [CONFIG] },
  {
    provide: STORE,
    useFactory: ({ etcd: { prefix } }: Config, etcd: EtcdClient, cipher: Cipher, log: Logger, metrics: Metrics) => {
      const store = openStore({ etcd, prefix, cipher, log });
      observeStore(metrics, store);
      return store;
    },
    inject: [CONFIG, ETCD, CIPHER, LOG, METRICS],
  },
  {
    provide: CACHE,
    useFactory: async (
      { etcd: { prefix } }: Config,
      etcd: EtcdClient,
      cipher: Cipher,
      log: Logger,
      stop: AbortSignal,
    ) => {
      const cache = new ClusterCache({ etcd, prefix, cipher, indexes: cacheIndexes, log });
      await cache.start(stop);
      return cache;
    },
    inject: [CONFIG, ETCD, CIPHER, LOG, STOPPING],
  },
  { provide: CORE, useFactory: startCore, inject: [CONFIG, CACHE, STORE, LOG, METRICS] },
  { provide: CHECKS, useFactory: checksOf, inject: [CACHE] },
];

/** What is listened to. */
const servers: Provider[] = [
  {
    provide: REST,
    useFactory: (config: Config, core: Core, kinds: KindRegistry, metrics: Metrics, log: Logger, checks: Checks) => {
      const { host, port, tls, nodeClient } = config;
      const { operations, authenticator, fairness, tokens } = core;
      return startRestServer({
        ...{ operations, authenticator, fairness, kinds, metrics, log, ...checks, host, port, tls },
        nodeCredentials: nodeClient,
        issuer: { tokens, jwksUri: config.serviceAccounts.jwksUri },
        advertiseAddress: `${config.advertiseAddress}:${port}`,
      });
    },
    inject: [CONFIG, CORE, KINDS, METRICS, LOG, CHECKS],
  },
  // A client of its own: a node that catches up must not stand in the way of the cache's watch.
  { provide: GATE_ETCD, useFactory: openEtcdOf, inject: [CONFIG] },
  {
    provide: GATE,
    useFactory: ({ etcd: { prefix } }: Config, etcd: EtcdClient, log: Logger) =>
      etcdGateServices({
        ...{ etcd, prefix, log },
        authenticate: ({ certificate }) => identityOfCertificate(certificate),
      }),
    inject: [CONFIG, GATE_ETCD, LOG],
  },
  {
    provide: GRPC,
    useFactory: (config: Config, core: Core, kinds: KindRegistry, log: Logger, gate: EtcdGate) => {
      const { host, grpcPort, tls } = config;
      const { operations, authenticator, fairness } = core;
      return startGrpcServer({
        ...{ operations, authenticator, fairness, kinds, log, host, port: grpcPort, tls },
        services: gate.services,
      });
    },
    inject: [CONFIG, CORE, KINDS, LOG, GATE],
  },
  { provide: LOOPBACK, useFactory: serveLoopback, inject: [CONFIG, METRICS, CHECKS] },
];
