import { type ConfigReader, LOG_LEVELS, type LogLevel } from '@periplus/component';
import { configuredScheduler, type SchedulerSettings } from '@periplus/scheduling';

interface Tls {
  ca: Buffer;
  cert: Buffer;
  key: Buffer;
}

export interface SchedulerConfig {
  /** `host:port` of the api-servers' gRPC. */
  apiServers: string[];
  tls: Tls;
  /** Without `tls` only where etcd listens without, in development. */
  etcd: { endpoints: string[]; prefix: string; tls: Tls | undefined };
  /** How long a leader that stopped without a word keeps a standby waiting. */
  leaseSeconds: number;
  health: { host: string; port: number };
  logLevel: LogLevel;
  /** Of the KubeSchedulerConfiguration that `profiles` names, or Kubernetes' defaults. */
  settings: SchedulerSettings;
}

const LEASE_SECONDS = 10;

/** Checks a configuration. Throws ConfigError, which names the field. */
export function schedulerConfig(reader: ConfigReader): SchedulerConfig {
  const pair = (from: ConfigReader): Tls => ({ ca: from.file('ca'), cert: from.file('cert'), key: from.file('key') });
  const etcd = reader.object('etcd');
  const health = reader.has('health') ? reader.object('health') : null;
  return {
    apiServers: reader.strings('apiServers'),
    tls: pair(reader.object('tls')),
    etcd: {
      endpoints: etcd.strings('endpoints'),
      prefix: etcd.string('prefix', '/periplus'),
      tls: etcd.has('tls') ? pair(etcd.object('tls')) : undefined,
    },
    leaseSeconds: reader.integer('leaseSeconds', { min: 2, max: 600 }, LEASE_SECONDS),
    health: { host: health?.string('host', '127.0.0.1') ?? '127.0.0.1', port: health?.port('port', 0) ?? 0 },
    logLevel: reader.oneOf('logLevel', LOG_LEVELS, 'info'),
    settings: configuredScheduler(reader),
  };
}
