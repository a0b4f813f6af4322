import { randomInt } from 'node:crypto';
import { kvMethods, leaseMethods } from '@periplus/proto';
import { Calls } from './calls.ts';
import { Connection } from './connection.ts';
import { EtcdError } from './error.ts';
import { KeptLease } from './kept-lease.ts';
import { fromRangeResponse, fromTxnResponse, revisionOf, toLeaseId, toPutRequest, toTxnRequest } from './messages.ts';
import { RenewalStream } from './renewal-stream.ts';
import { answersProgressInOrder, serverVersion } from './server-version.ts';
import type { EtcdClient, EtcdOptions } from './types.ts';
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
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const calls = new Calls(callConnection, timeoutMs);
  const renewals = new RenewalStream(callConnection);
  const kept = new Set<KeptLease>();
  const watches = new WatchStream({
    connection: watchConnection,
    answersProgressInOrder: async (url) => answersProgressInOrder(await serverVersion(url, options.tls)),
  });

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
    async lease(ttlSeconds) {
      const askedAt = performance.now();
      const id = newLeaseId();
      await grantLease(calls, ttlSeconds, id);
      const lease = new KeptLease(renewals, id, ttlSeconds, askedAt);
      kept.add(lease);
      void lease.ended.then(() => kept.delete(lease));
      return {
        id: String(id),
        ended: lease.ended,
        async revoke() {
          lease.drop();
          await revokeLease(calls, id);
        },
      };
    },
    async grant(ttlSeconds, lease) {
      const id = lease === undefined ? newLeaseId() : toLeaseId(lease);
      if (lease === undefined) await grantLease(calls, ttlSeconds, id);
      else await calls.call(leaseMethods.leaseGrant, { TTL: ttlSeconds, ID: id }, WRITE);
      return String(id);
    },
    renew: (lease) => renewals.renew(toLeaseId(lease), timeoutMs),
    revoke: (lease) => revokeLease(calls, toLeaseId(lease)),
    async compact(revision) {
      await calls.call(kvMethods.compact, { revision, physical: false }, WRITE);
    },
    async close() {
      watches.close();
      for (const lease of kept) lease.drop();
      renewals.close();
      callConnection.close();
      watchConnection.close();
    },
  };
}

async function revokeLease(calls: Calls, id: number): Promise<void> {
  await calls.call(leaseMethods.leaseRevoke, { ID: id }, READ).catch(unlessGone);
}

/** Repeated when its outcome is unknown: an id that is taken then is this lease, since nobody else has drawn it. */
async function grantLease(calls: Calls, ttlSeconds: number, newId: number): Promise<void> {
  try {
    await calls.call(leaseMethods.leaseGrant, { TTL: ttlSeconds, ID: newId }, READ);
  } catch (error) {
    if (!(error instanceof EtcdError && error.message.includes('lease already exists'))) throw error;
  }
}

/** Below 2^48, so that a number holds it exactly; with that many, two alike are as good as impossible. */
const newLeaseId = (): number => randomInt(1, 2 ** 48 - 1);

function unlessGone(error: unknown): void {
  if (!(error instanceof EtcdError && error.reason === 'LeaseNotFound')) throw error;
}
