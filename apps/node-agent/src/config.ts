import { ConfigError, type ConfigReader, LOG_LEVELS, type LogLevel } from '@periplus/component';
import { HOLLOW_NODES_MAX, type HollowOptions, type NodeAgentOptions, parseTaint } from '@periplus/node';

/** A node of the machine, or simulated ones: exactly one of `node` and `simulate`. */
export interface NodeAgentConfig {
  /** `host:port` of the api-servers' gRPC: commands, and the gate to etcd. */
  apiServers: string[];
  etcdPrefix: string;
  tls: { ca: Buffer; cert: Buffer; key: Buffer };
  health: { host: string; port: number };
  logLevel: LogLevel;
  node: NodeAgentOptions | null;
  simulate: HollowOptions | null;
}

const LIVENESS_SECONDS = 40;
/** Of what they request, containers on simulated nodes are said to use this much. */
const USAGE_PERCENT = 50;
const PORT = { min: 1, max: 65_535 } as const;

/** Checks a configuration. Throws ConfigError, which names the field. */
export function nodeAgentConfig(reader: ConfigReader): NodeAgentConfig {
  const tls = reader.object('tls');
  const pair = { ca: tls.file('ca'), cert: tls.file('cert'), key: tls.file('key') };
  const health = reader.has('health') ? reader.object('health') : null;
  const livenessTtlSeconds = reader.integer('livenessTtlSeconds', { min: 2, max: 3_600 }, LIVENESS_SECONDS);
  if (reader.has('node') === reader.has('simulate')) {
    throw new ConfigError('node', 'is required, or simulate instead of it, and not both');
  }
  return {
    apiServers: reader.strings('apiServers'),
    etcdPrefix: reader.string('etcdPrefix', '/periplus'),
    tls: pair,
    health: { host: health?.string('host', '127.0.0.1') ?? '127.0.0.1', port: health?.port('port') ?? 0 },
    logLevel: reader.oneOf('logLevel', LOG_LEVELS, 'info'),
    node: reader.has('node') ? nodeOptions(reader.object('node'), pair, livenessTtlSeconds) : null,
    simulate: reader.has('simulate') ? hollowOptions(reader.object('simulate'), livenessTtlSeconds) : null,
  };
}

function nodeOptions(reader: ConfigReader, tls: NodeAgentConfig['tls'], livenessTtlSeconds: number): NodeAgentOptions {
  const dns = reader.has('dns') ? reader.object('dns') : null;
  const service = reader.has('apiService') ? reader.object('apiService') : null;
  const server = reader.object('server');
  const podCidr = reader.has('podCidr') ? reader.string('podCidr') : undefined;
  return {
    identity: {
      name: reader.string('name'),
      ...(podCidr && { podCidr }),
      labels: labels(reader, 'labels'),
      taints: reader.strings('taints', []).map((text) => {
        const taint = parseTaint(text);
        if (!taint)
          throw new ConfigError('node.taints', `must be like key=value:NoSchedule, not ${JSON.stringify(text)}`);
        return taint;
      }),
      podsMax: reader.integer('podsMax', { min: 1, max: 10_000 }, 110),
    },
    addresses: reader.strings('addresses', []),
    runtimeSocket: reader.absolutePath('runtimeSocket'),
    directory: reader.absolutePath('directory'),
    logDirectory: reader.absolutePath('logDirectory'),
    cgroupRoot: reader.absolutePath('cgroupRoot', '/kubepods'),
    dns: {
      servers: dns?.strings('servers', []) ?? [],
      domain: dns?.string('domain', 'cluster.local') ?? 'cluster.local',
    },
    ...(service && { apiService: { host: service.string('host'), port: service.integer('port', PORT) } }),
    livenessTtlSeconds,
    server: { host: server.string('host', '0.0.0.0'), port: server.port('port', 10_250), tls },
  };
}

function hollowOptions(reader: ConfigReader, livenessTtlSeconds: number): HollowOptions {
  const ms = { min: 0, max: 24 * 3_600_000 };
  return {
    count: reader.integer('nodes', { min: 1, max: HOLLOW_NODES_MAX }),
    namePrefix: reader.string('namePrefix', 'sim-'),
    delays: {
      readyMs: reader.integer('readyMs', ms, 100),
      completeMs: reader.integer('completeMs', ms, 1_000),
      stopMs: reader.integer('stopMs', ms, 100),
    },
    podCidr: reader.string('podCidr', '10.128.0.0/9'),
    cpus: reader.integer('cpus', { min: 1, max: 10_000 }, 32),
    memoryGib: reader.integer('memoryGib', { min: 1, max: 100_000 }, 256),
    podsPerNode: reader.integer('podsPerNode', { min: 1, max: 250 }, 110),
    labels: labels(reader, 'labels'),
    usagePercent: {
      cpu: reader.integer('cpuUsagePercent', { min: 0, max: 10_000 }, USAGE_PERCENT),
      memory: reader.integer('memoryUsagePercent', { min: 0, max: 10_000 }, USAGE_PERCENT),
    },
    livenessTtlSeconds,
  };
}

/** A list of `name=value`. */
function labels(reader: ConfigReader, field: string): Record<string, string> {
  return Object.fromEntries(
    reader.strings(field, []).map((text) => {
      const at = text.indexOf('=');
      if (at <= 0) throw new ConfigError(field, `must be like name=value, not ${JSON.stringify(text)}`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
