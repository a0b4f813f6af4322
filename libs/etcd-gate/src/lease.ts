import { type ServerDuplexStream, status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { EtcdClient } from '@periplus/etcd';
import type { etcdserverpb as v3 } from '@periplus/proto';
import { type AdmittedCaller, type Callers, GateRefusal, refuse, statusFor } from './callers.ts';
import type { LeaseOwners } from './lease-owners.ts';
import { type GateStatus, PERMISSION_DENIED } from './status.ts';

const LEASE_SECONDS_MAX = 3_600;

type KeepAliveCall = ServerDuplexStream<v3.LeaseKeepAliveRequest, v3.LeaseKeepAliveResponse.$Shape>;

interface LeaseDeps {
  etcd: EtcdClient;
  callers: Callers;
  owners: LeaseOwners;
}

/** Leases for those who hold them. */
export function leaseHandlers({ etcd, callers, owners }: LeaseDeps): UntypedServiceImplementation {
  const leaseGrant = callers.unary(async (identity, request: v3.LeaseGrantRequest) => {
    const { TTL: ttlSeconds, ID: id } = request;
    if (ttlSeconds < 1 || ttlSeconds > LEASE_SECONDS_MAX) {
      const details = `etcd gate: a lease lasts between 1 and ${LEASE_SECONDS_MAX} seconds`;
      throw new GateRefusal({ code: status.INVALID_ARGUMENT, details });
    }
    if (owners.isFull(identity)) {
      throw new GateRefusal({ code: status.FAILED_PRECONDITION, details: 'etcd gate: too many leases' });
    }
    // A given id must be new: to be told of an existing lease as if it were one's own would be to own it.
    const lease = await etcd.grant(ttlSeconds, id === 0 ? undefined : String(id));
    owners.holds(identity, lease, ttlSeconds);
    return { header: {}, ID: Number(lease), TTL: ttlSeconds };
  });

  const leaseRevoke = callers.unary(async (identity, { ID: id }: v3.LeaseRevokeRequest) => {
    const lease = String(id);
    if (!(await owners.owns(identity, lease))) throw new GateRefusal(PERMISSION_DENIED);
    await etcd.revoke(lease);
    owners.ended(lease);
    return { header: {} };
  });

  /** A lease of somebody else is to the caller what a lease is that has ended: not there. */
  const renew = async ({ identity }: AdmittedCaller, lease: string): Promise<number> => {
    if (!(await owners.owns(identity, lease))) return 0;
    const ttlSeconds = await etcd.renew(lease);
    if (ttlSeconds === 0) owners.ended(lease);
    else owners.holds(identity, lease, ttlSeconds);
    return ttlSeconds;
  };

  const leaseKeepAlive = async (call: KeepAliveCall): Promise<void> => {
    const caller = callers.admit(call);
    if (caller === undefined) return;
    let over = false;
    const fail = (failure: GateStatus): void => {
      if (!over && !call.cancelled) call.emit('error', failure);
      over = true;
    };
    caller.serve({ end: fail });
    try {
      for await (const { ID: id } of call as AsyncIterable<v3.LeaseKeepAliveRequest>) {
        const ttlSeconds = await renew(caller, String(id));
        call.write({ header: {}, ID: id, TTL: ttlSeconds });
      }
      call.end();
    } catch (error) {
      fail(statusFor(error)); // nothing any more if it was us, or the caller, who ended it
    } finally {
      caller.ended();
    }
  };

  return { leaseGrant, leaseRevoke, leaseKeepAlive, leaseTimeToLive: callers.unary(refuse) };
}
