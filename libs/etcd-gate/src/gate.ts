import { type ServiceDefinition, status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { EtcdClient } from '@periplus/etcd';
import { kvMethods, leaseMethods, watchMethods } from '@periplus/proto';
import { Keys } from '@periplus/store';
import { GateAccess } from './access.ts';
import { Callers, type GateLog } from './callers.ts';
import { FeedHub } from './feed-hub.ts';
import type { GateIdentity, GatePeer } from './identity.ts';
import { kvHandlers } from './kv.ts';
import { leaseHandlers } from './lease.ts';
import { LeaseOwners } from './lease-owners.ts';
import { type WatchCall, WatchSession } from './watch-session.ts';

export interface GateDeps {
  /** May read what nodes may, and write their liveness. */
  etcd: EtcdClient;
  /** Of all keys: `/periplus`. */
  prefix: string;
  /** undefined: nobody whom the gate serves. See `identityOfCertificate`. */
  authenticate(peer: GatePeer): GateIdentity | undefined;
  log: GateLog;
}

/** A service to be added to a grpc-js server that asks for client certificates. */
export interface GateService {
  name: string;
  definition: ServiceDefinition;
  implementation: UntypedServiceImplementation;
}

export interface EtcdGate {
  services: GateService[];
  /** Ends all streams; their callers are expected to come back, here or elsewhere. */
  close(): void;
}

/** Responses come encoded: their events are shared. */
const watchDefinition = {
  watch: { ...watchMethods.watch, responseSerialize: (response: Buffer): Buffer => response },
} as const;

/**
 * etcd's own gRPC services for nodes: a node sees its inbox and what its service proxy needs, holds its liveness by
 * leases of its own, and is refused everything else. Thousands of nodes share the streams of the one `etcd`.
 */
export function etcdGateServices({ etcd, prefix, authenticate, log }: GateDeps): EtcdGate {
  const access = new GateAccess(new Keys(prefix));
  const callers = new Callers(authenticate, log);
  const owners = new LeaseOwners(etcd, access);
  const feeds = new FeedHub(etcd);
  const watch = (call: WatchCall): void => {
    const caller = callers.admit(call);
    if (caller === undefined) return;
    const { identity, refused, ended } = caller;
    caller.serve(new WatchSession(call, identity, { access, feeds, refused, ended }));
  };
  return {
    services: [
      {
        name: 'etcdserverpb.KV',
        definition: kvMethods,
        implementation: kvHandlers({ etcd, access, callers, owners }),
      },
      { name: 'etcdserverpb.Watch', definition: watchDefinition, implementation: { watch } },
      {
        name: 'etcdserverpb.Lease',
        definition: leaseMethods,
        implementation: leaseHandlers({ etcd, callers, owners }),
      },
    ],
    close: () => callers.endAll({ code: status.UNAVAILABLE, details: 'etcd gate: the server is going down' }),
  };
}
