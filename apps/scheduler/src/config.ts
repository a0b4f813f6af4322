import { type ConfigReader, LOG_LEVELS, type LogLevel } from '@periplus/component';

interface Tls {
  ca: Buffer;
  cert: Buffer;
  key: Buffer;
}

export interface SchedulerConfig {
  /** `host:port` of the api-servers' gRPC. */
  apiServers: string[];
  tls: Tls;
  etcd: { endpoints: string[]; prefix: string; tls: Tls };
  health: { host: string; port: number };
  logLevel: LogLevel;
}

/** Checks a configuration. Throws ConfigError, which names the field. */
export function schedulerConfig(reader: ConfigReader): SchedulerConfig {
  const pair = (from: ConfigReader): Tls => ({ ca: from.file('ca'), cert: from.file('cert'), key: from.file('key') });
  const etcd = reader.object('etcd');
  const health = reader.object('health');
  return {
    apiServers: reader.strings('apiServers'),
    tls: pair(reader.object('tls')),
    etcd: {
      endpoints: etcd.strings('endpoints'),
      prefix: etcd.string('prefix', '/periplus'),
      tls: pair(etcd.object('tls')),
    },
    health: { host: health.string('host', '127.0.0.1'), port: health.port('port', 0) },
    logLevel: reader.oneOf('logLevel', LOG_LEVELS, 'info'),
  };
}
