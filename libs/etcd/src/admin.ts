import { authMethods, authpb, type etcdserverpb as v3 } from '@periplus/proto';
import { Calls } from './calls.ts';
import { Connection } from './connection.ts';
import { EtcdError } from './error.ts';
import type { EtcdOptions } from './types.ts';

const TIMEOUT_MS = 10_000;
const REPEATABLE = { repeatable: true };

const ACCESS = {
  read: authpb.Permission.Type.READ,
  write: authpb.Permission.Type.WRITE,
  readwrite: authpb.Permission.Type.READWRITE,
} as const;

/** What a user may do with the keys from `key` to `rangeEnd` (exclusive; absent for the single key). */
export interface EtcdPermission {
  access: keyof typeof ACCESS;
  key: string;
  rangeEnd?: string;
}

/** Users and roles of etcd. Once authentication is on, only root may. Every method may be repeated. */
export interface EtcdAdmin {
  /**
   * A user who logs in with a client certificate of this common name, with a role of the same name that grants exactly
   * `permissions`. `root` gets etcd's own role of that name instead.
   */
  ensureUser(name: string, permissions: readonly EtcdPermission[]): Promise<void>;
  deleteUser(name: string): Promise<void>;
  /** Turns authentication on; needs the user root. */
  enableAuth(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a client for users and roles; not for any data path. */
export function openEtcdAdmin(options: EtcdOptions): EtcdAdmin {
  const connection = new Connection(options);
  const calls = new Calls(connection, options.timeoutMs ?? TIMEOUT_MS);
  return {
    async ensureUser(name, permissions) {
      await unless(
        'already exists',
        calls.call(authMethods.userAdd, { name, options: { noPassword: true } }, REPEATABLE),
      );
      if (name !== 'root') await ensureRole(calls, name, permissions);
      await calls.call(authMethods.userGrantRole, { user: name, role: name }, REPEATABLE);
    },
    async deleteUser(name) {
      await unless('not found', calls.call(authMethods.userDelete, { name }, REPEATABLE));
      await unless('not found', calls.call(authMethods.roleDelete, { role: name }, REPEATABLE));
    },
    async enableAuth() {
      await calls.call(authMethods.authEnable, {}, REPEATABLE);
    },
    async close() {
      connection.close();
    },
  };
}

async function ensureRole(calls: Calls, role: string, permissions: readonly EtcdPermission[]): Promise<void> {
  await unless('already exists', calls.call(authMethods.roleAdd, { name: role }, REPEATABLE));
  const { perm } = (await calls.call(authMethods.roleGet, { role }, REPEATABLE)) as v3.AuthRoleGetResponse;
  const wanted = new Map(permissions.map((each) => [rangeOf(each.key, each.rangeEnd), each]));
  // A grant for the same range replaces what was granted before.
  for (const { access, key, rangeEnd } of permissions) {
    const granted = { name: role, perm: { permType: ACCESS[access], key, rangeEnd } };
    await calls.call(authMethods.roleGrantPermission, granted, REPEATABLE);
  }
  for (const { key, rangeEnd } of perm) {
    if (wanted.has(rangeOf(key, rangeEnd))) continue;
    await unless('not granted', calls.call(authMethods.roleRevokePermission, { role, key, rangeEnd }, REPEATABLE));
  }
}

const rangeOf = (key?: string | null, rangeEnd?: string | null): string => JSON.stringify([key ?? '', rangeEnd ?? '']);

/** Waits for `call`; it is as good as done when etcd answers that it has been. */
async function unless(done: string, call: Promise<unknown>): Promise<void> {
  await call.catch((error: unknown) => {
    if (!(error instanceof EtcdError && error.message.includes(done))) throw error;
  });
}
