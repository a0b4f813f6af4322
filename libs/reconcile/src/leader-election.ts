import type { Logger } from '@periplus/component';
import type { EtcdClient, KeyValue, LeaseHandle } from '@periplus/etcd';
import { isGone, type ProcessIdentity, thisProcess } from './process-identity.ts';

/** How long a holder that stopped without a word keeps the others waiting. */
const LEASE_SECONDS = 10;
/** Between attempts while etcd can't be reached. */
const RETRY_MS = 1_000;

export interface ElectionDeps {
  etcd: EtcdClient;
  /** The election's key in etcd: `<prefix>/elections/<component>`. */
  key: string;
  log: Logger;
  leaseSeconds?: number;
  /** For tests: who this is, and whether another holder is known to be dead. */
  identity?: ProcessIdentity;
  isGone?(holder: ProcessIdentity): boolean;
}

/**
 * Runs `work` whenever this process holds the election, until `signal`. The signal given to `work` is aborted the
 * moment the lease ends, or the key is taken away; `work` has to stop sending commands at once and then resolve. A
 * holder that was killed on this very machine is replaced immediately, any other after its lease. Never rejects: when
 * `work` does, the election is given up and held again.
 */
export async function lead(
  deps: ElectionDeps,
  work: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const lease = await attempt(deps, signal);
    if (!lease) continue;
    deps.log.info({ election: deps.key }, 'leading');
    try {
      await holdWhile(deps, lease, work, signal);
      if (!signal.aborted) deps.log.warn({ election: deps.key }, 'no longer leading');
    } catch (error) {
      if (signal.aborted) return;
      deps.log.error({ election: deps.key, error }, 'the work of the leader failed');
      await pause(RETRY_MS, signal);
    }
  }
}

/** One try to become the holder, or to wait until the present one is gone. */
async function attempt(deps: ElectionDeps, signal: AbortSignal): Promise<LeaseHandle | null> {
  const { etcd, key, log } = deps;
  let lease: LeaseHandle | null = null;
  try {
    const { kvs, revision } = await etcd.range({ key });
    const [holder] = kvs;
    if (holder) {
      if (await removeDeadHolder(deps, holder)) return null;
      log.info({ election: key, holder: parseIdentity(holder.value) }, 'standing by');
      await changeOf(etcd, key, revision + 1, signal);
      return null;
    }
    lease = await etcd.lease(deps.leaseSeconds ?? LEASE_SECONDS);
    const value = Buffer.from(JSON.stringify(deps.identity ?? thisProcess()));
    const { succeeded } = await etcd.txn({
      compare: [{ key, target: 'create', result: 'equal', value: 0 }],
      success: [{ type: 'put', key, value, lease: lease.id }],
      failure: [],
    });
    if (succeeded) return lease;
  } catch (error) {
    log.warn({ election: key, error }, 'the election could not be held');
    await pause(RETRY_MS, signal);
  }
  // Lost to another process, or of unknown outcome: in both cases the lease must not keep the key.
  await lease?.revoke().catch(() => undefined);
  return null;
}

const parseIdentity = (value: Buffer): ProcessIdentity | null => {
  try {
    return JSON.parse(value.toString()) as ProcessIdentity;
  } catch {
    return null;
  }
};

/** A process that was killed can't revoke its lease; whoever can see that it is gone does it in its place. */
async function removeDeadHolder(deps: ElectionDeps, holder: KeyValue): Promise<boolean> {
  const identity = parseIdentity(holder.value);
  if (!identity || !(deps.isGone ?? isGone)(identity)) return false;
  const { succeeded } = await deps.etcd.txn({
    compare: [{ key: deps.key, target: 'mod', result: 'equal', value: holder.modRevision }],
    success: [{ type: 'delete', key: deps.key }],
    failure: [],
  });
  if (succeeded) deps.log.info({ election: deps.key, holder: identity }, 'the last leader no longer runs');
  return succeeded;
}

/** Resolves when the key was changed at or after `startRevision`, or when that can't be told any more. */
function changeOf(etcd: EtcdClient, key: string, startRevision: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      watch.cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const watch = etcd.watch({
      key,
      startRevision,
      onRevision: end,
      onCompacted: end,
      onFailed: end,
    });
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}

async function holdWhile(
  deps: ElectionDeps,
  lease: LeaseHandle,
  work: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const leading = new AbortController();
  const end = (): void => leading.abort();
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  void lease.ended.then(end);
  void takenAway(deps, lease, leading.signal).then(end);
  try {
    await work(leading.signal);
  } finally {
    leading.abort();
    signal.removeEventListener('abort', end);
    // The next leader need not wait for the lease to end.
    await lease.revoke().catch(() => undefined);
  }
}

/** Resolves when the key no longer is this lease's. */
async function takenAway({ etcd, key }: ElectionDeps, lease: LeaseHandle, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const { kvs, revision } = await etcd.range({ key });
      if (kvs[0]?.lease !== lease.id) return;
      await changeOf(etcd, key, revision + 1, signal);
    } catch {
      // Not an answer. The lease tells when etcd stays away for too long.
      await pause(RETRY_MS, signal);
    }
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
