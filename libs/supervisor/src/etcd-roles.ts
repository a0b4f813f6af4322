import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ETCD_PROBE_USER,
  type EtcdOptions,
  type EtcdPermission,
  etcdProbePermissions,
  openEtcdAdmin,
  prefixEnd,
} from '@periplus/etcd';
import { Keys } from '@periplus/store';
import type { ClusterFolder } from './cluster-folder.ts';

const below = (access: EtcdPermission['access'], prefix: string): EtcdPermission => ({
  access,
  key: prefix,
  rangeEnd: prefixEnd(prefix),
});

/** The least that each component works with. A user is the common name of a certificate. */
function permissionsBelow(prefix: string): Record<string, EtcdPermission[]> {
  const keys = new Keys(prefix);
  const log: EtcdPermission = { access: 'read', ...keys.log };
  return {
    root: [],
    'api-server': [below('readwrite', `${prefix}/`)],
    scheduler: [log, { access: 'readwrite', key: keys.election('scheduler') }],
    'controller-manager': [
      log,
      { access: 'read', ...keys.livenessRange() },
      { access: 'readwrite', key: keys.election('controller-manager') },
    ],
    // Tries to do more than it may when the api-server starts, to see whether etcd enforces roles.
    [ETCD_PROBE_USER]: etcdProbePermissions(prefix),
  };
}

/**
 * Creates the users and roles of a cluster's components and turns etcd's access control on. `root` logs in as the
 * user root. May be repeated: a call after one that was cut short finishes its work.
 */
export async function secureEtcd(root: EtcdOptions, prefix: string): Promise<void> {
  const admin = openEtcdAdmin(root);
  try {
    for (const [name, permissions] of Object.entries(permissionsBelow(prefix)))
      await admin.ensureUser(name, permissions);
    await admin.enableAuth();
  } finally {
    await admin.close();
  }
}

/** How the cluster's owner logs in to etcd. */
export function rootLogin(folder: ClusterFolder, endpoints: readonly string[]): EtcdOptions {
  const read = (name: string): Buffer => readFileSync(join(folder.pki, 'etcd', name));
  return { endpoints, tls: { ca: read('ca.crt'), cert: read('root.crt'), key: read('root.key') } };
}
