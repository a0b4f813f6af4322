import { randomInt } from 'node:crypto';
import { kvMethods, leaseMethods } from '@periplus/proto';
import { Calls } from './calls.ts';
import { Connection } from './connection.ts';
import { EtcdError } from './error.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { fromRangeResponse, fromTxnResponse, revisionOf, toLeaseId, toPutRequest, toTxnRequest } from './messages.ts';
import { answersProgressInOrder, serverVersion } from './server-version.ts';
import type { EtcdClient, EtcdOptions, LeaseHandle } from './types.ts';
import { WatchStream } from './watch-stream.ts';

const TIMEOUT_MS = 5_000;
const READ = { repeatable: true };
const WRITE = { repeatable: false };

/**
 * Opens a client: one connection for calls and leases, one for watches, each made when first needed, so that it never waits
 * and never fails here.
 */
export function openEtcd(options: EtcdOptions): EtcdClient {
  const callConnection = new Connection(options);
  const watchConnection = new Connection(options);
  const calls = new Calls(callConnection, options.timeoutMs ?? TIMEOUT_MS);
  const watches = new WatchStream({
    connection: watchConnection,
    answersProgressInOrder: async (url) => answersProgressInOrder(await serverVersion(url, options.tls)),
  });
  const keeper = new LeaseKeeper(callConnection);

  return {
    async range(request) {
      return fromRangeResponse(await calls.call(kvMethods.range, request, READ));
    },
    async put(key, value, lease) {
      const { header } = await calls.call(kvMethods.put, toPutRequest(key, value, lease), WRITE);
      return { revision: revisionOf(header) };
    },
    async txn(request) {
      return fromTxnResponse(await calls.call(kvMethods.txn, toTxnRequest(request), WRITE));
    },
    watch: (request) => watches.watch(request),
    lease: (ttlSeconds) => keepLease(calls, keeper, ttlSeconds),
    async grant(ttlSeconds) {
      return String(await grantLease(calls, ttlSeconds));
    },
    revoke: (lease) => revokeLease(calls, toLeaseId(lease)),
    async compact(revision) {
      await calls.call(kvMethods.compact, { revision, physical: false }, WRITE);
    },
    async close() {
      watches.close();
      keeper.close();
      callConnection.close();
      watchConnection.close();
    },
  };
}

async function keepLease(calls: Calls, keeper: LeaseKeeper, ttlSeconds: number): Promise<LeaseHandle> {
  const askedAt = performance.now();
  const id = await grantLease(calls, ttlSeconds);
  const ended = keeper.keep(id, ttlSeconds, askedAt);
  return {
    id: String(id),
    ended,
    async revoke() {
      keeper.drop(id);
      await revokeLease(calls, id);
    },
  };
}

async function revokeLease(calls: Calls, id: number): Promise<void> {
  await calls.call(leaseMethods.leaseRevoke, { ID: id }, READ).catch(unlessGone);
}

/** The client chooses the id, so that a grant can be repeated when its outcome is unknown. */
async function grantLease(calls: Calls, ttlSeconds: number): Promise<number> {
  const id = newLeaseId();
  try {
    await calls.call(leaseMethods.leaseGrant, { TTL: ttlSeconds, ID: id }, READ);
  } catch (error) {
    if (!(error instanceof EtcdError && error.message.includes('lease already exists'))) throw error;
  }
  return id;
}

/** Below 2^48, so that a number holds it exactly; with that many, two alike are as good as impossible. */
const newLeaseId = (): number => randomInt(1, 2 ** 48 - 1);

function unlessGone(error: unknown): void {
  if (!(error instanceof EtcdError && error.reason === 'LeaseNotFound')) throw error;
}
