import type { EtcdPermission } from './admin.ts';
import { EtcdError } from './error.ts';
import type { EtcdClient, Operation } from './types.ts';

/** What a user with the least role could do beyond it. */
export type EtcdBypass =
  | 'no roles at all'
  | 'read in a nested transaction'
  | 'write in a nested transaction'
  | 'previous value in a transaction'
  | 'foreign lease in a transaction'
  | 'watch without an end';

/** The user that `probeEtcdRoles` tries them with: may read one key and write another, both of no meaning. */
export const ETCD_PROBE_USER = 'probe';

/** The forbidden one comes last, so that a range without an end that starts at the readable one reaches it. */
const keysOf = (prefix: string) => ({
  readable: `${prefix}/probe/1-readable`,
  writable: `${prefix}/probe/2-writable`,
  forbidden: `${prefix}/probe/3-forbidden`,
});

/** Should the probe die half-way, its keys go with the lease. */
const LEASE_SECONDS = 60;
const WATCH_MS_MAX = 1_000;

/** The permissions that the probe user is to have. */
export function etcdProbePermissions(prefix: string): EtcdPermission[] {
  const { readable, writable } = keysOf(prefix);
  return [
    { access: 'read', key: readable },
    { access: 'write', key: writable },
  ];
}

export interface RoleProbe {
  /** May read and write below `prefix`. */
  privileged: EtcdClient;
  /** Logged in as `ETCD_PROBE_USER` with `etcdProbePermissions`. */
  restricted: EtcdClient;
  prefix: string;
}

/**
 * Tries the known ways around etcd's roles, and says which are open. They were closed by etcd 3.4.44, 3.5.30 and 3.6.11 or later (GHSA-rfx7-8w68-q57q,
 * CVE-2026-44283, GHSA-xg4h-6gfc-h4m8). Touches nothing but keys of its own.
 */
export async function probeEtcdRoles({ privileged, restricted, prefix }: RoleProbe): Promise<EtcdBypass[]> {
  const { readable, writable, forbidden } = keysOf(prefix);
  const value = Buffer.alloc(0);
  const lease = await privileged.grant(LEASE_SECONDS);
  const { revision } = await privileged.put(forbidden, value, lease);
  const nested = (operation: Operation): Promise<unknown> =>
    txn(restricted, { type: 'txn', compare: [], success: [operation], failure: [] });
  const attempts: [EtcdBypass, () => Promise<unknown>][] = [
    ['no roles at all', () => restricted.range({ key: forbidden })],
    ['read in a nested transaction', () => nested({ type: 'range', key: forbidden })],
    ['write in a nested transaction', () => nested({ type: 'put', key: forbidden, value, lease })],
    ['previous value in a transaction', () => txn(restricted, { type: 'put', key: writable, value, prevKv: true })],
    ['foreign lease in a transaction', () => txn(restricted, { type: 'put', key: writable, value, lease })],
    ['watch without an end', () => eventOf(restricted, readable, revision)],
  ];
  const bypasses: EtcdBypass[] = [];
  for (const [bypass, attempt] of attempts) if (!(await refused(attempt))) bypasses.push(bypass);
  await txn(privileged, { type: 'delete', key: writable });
  await privileged.revoke(lease);
  return bypasses;
}

const txn = (client: EtcdClient, operation: Operation): Promise<unknown> =>
  client.txn({ compare: [], success: [operation], failure: [] });

async function refused(attempt: () => Promise<unknown>): Promise<boolean> {
  try {
    await attempt();
    return false;
  } catch (error) {
    if (error instanceof EtcdError && error.reason === 'PermissionDenied') return true;
    throw error;
  }
}

/** Resolves when a watch of all keys from `key` on is served, rejects when it is refused. Silence is no refusal. */
async function eventOf(client: EtcdClient, key: string, startRevision: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const served = (): void => resolve();
  const watch = client.watch({
    key,
    rangeEnd: '\0',
    startRevision,
    onRevision: served,
    onCompacted: served,
    onFailed: reject,
  });
  const timer = setTimeout(served, WATCH_MS_MAX);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    watch.cancel();
  }
}
