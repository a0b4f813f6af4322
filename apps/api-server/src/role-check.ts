import type { Logger } from '@periplus/component';
import { type EtcdClient, openEtcd, probeEtcdRoles } from '@periplus/etcd';
import type { Config } from './config.ts';

const HINT =
  'etcd does not enforce its roles: a component whose certificate leaks may do more than it should. etcd 3.4.44, 3.5.30, 3.6.11 and later close most of these ways';

/**
 * Tries, as a user who may do next to nothing, the known ways around etcd's roles, and warns of those that are open.
 * The cluster is served either way: nodes have no credentials of etcd, and this is the second wall.
 */
export async function checkEtcdRoles({ etcd }: Config, privileged: EtcdClient, log: Logger): Promise<void> {
  const { endpoints, prefix, probe } = etcd;
  if (probe === null) return;
  const restricted = openEtcd({ endpoints, tls: probe });
  try {
    const bypasses = await probeEtcdRoles({ privileged, restricted, prefix });
    if (bypasses.length > 0) log.warn({ bypasses }, HINT);
    else log.info({}, 'etcd enforces its roles');
  } catch (error) {
    log.warn({ error }, 'could not find out whether etcd enforces its roles');
  } finally {
    await restricted.close();
  }
}
