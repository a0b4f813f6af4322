import { ConfigError, type ConfigReader, LOG_LEVELS, type LogLevel } from '@periplus/component';
import {
  type AutoscalerSettings,
  checkPodNetworks,
  type LegacyTokenSettings,
  type NodeMonitorSettings,
  type PodNetwork,
  type RecyclerSettings,
  type SigningSettings,
} from '@periplus/controllers';

interface Tls {
  ca: Buffer;
  cert: Buffer;
  key: Buffer;
}

export interface ControllerManagerConfig {
  /** `host:port` of the api-servers' gRPC. */
  apiServers: string[];
  tls: Tls;
  /** Without `tls` only where etcd listens without, in development. */
  etcd: { endpoints: string[]; prefix: string; tls: Tls | undefined };
  /** PEM: the authority that clients check the api-server against, for the ConfigMaps `kube-root-ca.crt`. */
  rootCa: Buffer;
  nodeMonitor: NodeMonitorSettings;
  autoscaler: AutoscalerSettings;
  /** What nodes that come without a range of pod addresses get theirs from. Empty: they get none. */
  podNetworks: readonly PodNetwork[];
  signing: SigningSettings;
  /** PEM: what certificates are signed with that somebody asks for. Null: nothing is signed. */
  signingAuthority: { cert: string; key: string } | null;
  legacyTokens: LegacyTokenSettings;
  recycler: RecyclerSettings;
  /** How many pods that have ended are kept; 0: all. */
  endedPodsKeptMax: number;
  /** How long a leader that stopped without a word keeps a standby waiting. */
  leaseSeconds: number;
  health: { host: string; port: number };
  logLevel: LogLevel;
}

/** As kube-controller-manager's --node-startup-grace-period. */
const STARTUP_GRACE_SECONDS = 60;
const LEASE_SECONDS = 10;
const DAY_MS = 86_400_000;
/** As --cluster-signing-duration. */
const SIGNED_SECONDS = 365 * 86_400;
const SIGNED_RANGE = { min: 600, max: 10 * SIGNED_SECONDS };
/** As --legacy-service-account-token-clean-up-period. */
const UNUSED_DAYS = 365;
/** What kube-controller-manager empties volumes with. */
const RECYCLER_IMAGE = 'registry.k8s.io/build-image/debian-base:bookworm-v1.0.6';
/** As --terminated-pod-gc-threshold. */
const ENDED_PODS_KEPT = 12_500;

/** Checks a configuration. Throws ConfigError, which names the field. */
export function controllerManagerConfig(reader: ConfigReader): ControllerManagerConfig {
  const pair = (from: ConfigReader): Tls => ({ ca: from.file('ca'), cert: from.file('cert'), key: from.file('key') });
  const etcd = reader.object('etcd');
  const health = reader.has('health') ? reader.object('health') : null;
  const monitor = reader.has('nodeMonitor') ? reader.object('nodeMonitor') : null;
  const seconds = { min: 1, max: 3_600 };
  const startupGrace = monitor?.integer('startupGraceSeconds', seconds, STARTUP_GRACE_SECONDS);
  return {
    apiServers: reader.strings('apiServers'),
    tls: pair(reader.object('tls')),
    etcd: {
      endpoints: etcd.strings('endpoints'),
      prefix: etcd.string('prefix', '/periplus'),
      tls: etcd.has('tls') ? pair(etcd.object('tls')) : undefined,
    },
    rootCa: reader.file('rootCaFile'),
    nodeMonitor: { startupGraceMs: (startupGrace ?? STARTUP_GRACE_SECONDS) * 1_000 },
    autoscaler: autoscalerOf(reader.has('autoscaler') ? reader.object('autoscaler') : null),
    signing: { lifeMs: reader.integer('signedCertificateSeconds', SIGNED_RANGE, SIGNED_SECONDS) * 1_000 },
    signingAuthority: reader.has('clusterSigning') ? authorityOf(reader.object('clusterSigning')) : null,
    podNetworks: reader.has('podNetwork') ? podNetworksOf(reader.object('podNetwork')) : [],
    legacyTokens: { unusedMs: reader.integer('legacyTokenUnusedDays', { min: 1, max: 3_650 }, UNUSED_DAYS) * DAY_MS },
    recycler: { image: reader.string('recyclerImage', RECYCLER_IMAGE) },
    endedPodsKeptMax: reader.integer('endedPodsKept', { min: 0, max: 1_000_000 }, ENDED_PODS_KEPT),
    leaseSeconds: reader.integer('leaseSeconds', { min: 2, max: 600 }, LEASE_SECONDS),
    health: { host: health?.string('host', '127.0.0.1') ?? '127.0.0.1', port: health?.port('port', 0) ?? 0 },
    logLevel: reader.oneOf('logLevel', LOG_LEVELS, 'info'),
  };
}

/** The defaults are kube-controller-manager's. */
function autoscalerOf(reader: ConfigReader | null): AutoscalerSettings {
  const ms = (field: string, seconds: number, min: number): number =>
    (reader?.integer(field, { min, max: 3_600 }, seconds) ?? seconds) * 1_000;
  return {
    syncPeriodMs: ms('syncPeriodSeconds', 15, 1),
    downscaleStabilizationMs: ms('downscaleStabilizationSeconds', 300, 0),
    cpuInitializationMs: ms('cpuInitializationSeconds', 300, 0),
    initialReadinessDelayMs: ms('initialReadinessDelaySeconds', 30, 0),
    tolerance: (reader?.integer('tolerancePercent', { min: 0, max: 100 }, 10) ?? 10) / 100,
  };
}

/** As --cluster-signing-cert-file and --cluster-signing-key-file. */
const authorityOf = (reader: ConfigReader): ControllerManagerConfig['signingAuthority'] => ({
  cert: reader.file('cert').toString(),
  key: reader.file('key').toString(),
});

/** As --cluster-cidr, --node-cidr-mask-size-ipv4 and --node-cidr-mask-size-ipv6. */
function podNetworksOf(reader: ConfigReader): PodNetwork[] {
  const [ofV4, ofV6] = [
    reader.integer('nodeMaskBitsIpv4', { min: 8, max: 30 }, 24),
    reader.integer('nodeMaskBitsIpv6', { min: 8, max: 126 }, 64),
  ];
  const networks = reader.strings('cidrs').map((cidr) => ({ cidr, nodeMaskBits: cidr.includes(':') ? ofV6 : ofV4 }));
  try {
    if (networks.length === 0) throw new RangeError('must name a range');
    checkPodNetworks(networks);
  } catch (error) {
    throw new ConfigError('podNetwork.cidrs', (error as Error).message);
  }
  return networks;
}
