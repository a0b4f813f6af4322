import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterFolder } from './cluster-folder.ts';
import type { ClusterSettings } from './settings.ts';
import type { ProcessSpec } from './supervised-process.ts';

/** History that etcd keeps for watchers to resume, as kube-apiserver's --etcd-compaction-interval. */
const COMPACTION_RETENTION = '5m';
const QUOTA_BYTES = 4 * 2 ** 30;
/** A gang is bound in one transaction, of two operations for each pod: its record, and that in its node's inbox. */
const TXN_OPERATIONS_MAX = 8_192;
/** As much as etcd recommends at most. */
const REQUEST_BYTES_MAX = 10 << 20;
const WATCH_PROGRESS_INTERVAL = '5s';
/** A lone member waits about one election timeout before it serves; its members' network is loopback. */
const HEARTBEAT_MS = 50;
const ELECTION_MS = 500;
const STOP_MS_MAX = 10_000;

export const etcdEndpoint = (settings: ClusterSettings): string => `https://127.0.0.1:${settings.ports.etcdClient}`;

/** The only member of a local cluster's etcd: TLS with client certificates on both ports, loopback only. */
export function etcdServer(folder: ClusterFolder, settings: ClusterSettings, command: string): ProcessSpec {
  mkdirSync(folder.etcdData, { recursive: true, mode: 0o700 });
  const pki = (name: string): string => join(folder.pki, 'etcd', name);
  const peer = `https://127.0.0.1:${settings.ports.etcdPeer}`;
  return {
    name: 'etcd',
    command,
    args: Object.entries({
      name: 'm1',
      'data-dir': join(folder.etcdData, 'data'),
      'listen-client-urls': etcdEndpoint(settings),
      'advertise-client-urls': etcdEndpoint(settings),
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': `m1=${peer}`,
      'initial-cluster-state': 'new',
      'listen-metrics-urls': `http://127.0.0.1:${settings.ports.etcdMetrics}`,
      'trusted-ca-file': pki('ca.crt'),
      'cert-file': pki('server.crt'),
      'key-file': pki('server.key'),
      'peer-trusted-ca-file': pki('ca.crt'),
      'peer-cert-file': pki('server.crt'),
      'peer-key-file': pki('server.key'),
      'client-cert-auth': true,
      'peer-client-cert-auth': true,
      'auto-compaction-mode': 'periodic',
      'auto-compaction-retention': COMPACTION_RETENTION,
      'quota-backend-bytes': QUOTA_BYTES,
      'max-txn-ops': TXN_OPERATIONS_MAX,
      'max-request-bytes': REQUEST_BYTES_MAX,
      'heartbeat-interval': HEARTBEAT_MS,
      'election-timeout': ELECTION_MS,
      'experimental-watch-progress-notify-interval': WATCH_PROGRESS_INTERVAL,
      logger: 'zap',
    }).map(([flag, value]) => `--${flag}=${value}`),
    logFile: join(folder.logs, 'etcd.log'),
    stopMsMax: STOP_MS_MAX,
  };
}
