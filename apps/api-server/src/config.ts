import { type ConfigReader, LOG_LEVELS, type LogLevel, machineAddress } from '@periplus/component';

/** PEM. */
interface KeyPair {
  cert: Buffer;
  key: Buffer;
}

/** How tokens of service accounts are made and checked. */
interface ServiceAccountsConfig {
  /** A URL; whoever checks tokens by himself asks it for /.well-known/openid-configuration. */
  issuer: string;
  /** Where it says that the keys are; this server when absent. As kube-apiserver's --service-account-jwks-uri. */
  jwksUri: string | null;
  /** Whom tokens must be for that are shown to this server; the issuer when absent. As --api-audiences. */
  audiences: string[];
  signingKey: Buffer;
  verificationKeys: Buffer[];
  /** What clients check this server against, for Secrets with tokens; the authority of client certificates when absent. */
  rootCa: Buffer;
}

/** What the file of `--config` says. Every path in it is absolute; the files are read at the start. */
export interface Config {
  logLevel: LogLevel;
  /** Address that the REST and gRPC APIs listen on. */
  host: string;
  /** REST. */
  port: number;
  grpcPort: number;
  /** Plain HTTP on loopback, without authentication: /livez, /readyz, /metrics. Null: none. */
  healthPort: number | null;
  /** Where clients reach this server: the endpoint of the Service `kubernetes`. As kube-apiserver's --advertise-address. */
  advertiseAddress: string;
  etcd: {
    endpoints: string[];
    prefix: string;
    tls: (KeyPair & { ca: Buffer }) | null;
    /** Logs in as the user whom roles are probed with. Null: they are not probed. */
    probe: (KeyPair & { ca: Buffer }) | null;
  };
  /** What the server shows to clients, and the authority that their certificates come from. */
  tls: KeyPair & { clientAuthority: Buffer };
  /** What the server shows to nodes, and the authority that theirs come from. Null: no logs of pods. */
  nodeClient: (KeyPair & { ca: Buffer }) | null;
  serviceAccounts: ServiceAccountsConfig;
  /** Path of the keys that Secrets are sealed with. */
  encryptionKeys: string;
  /** What addresses of Services are taken from. */
  serviceCidr: string;
  /** First and last: "30000-32767". */
  nodePortRange: string;
  /** Whether requests without credentials are let in as system:anonymous. */
  anonymous: boolean;
}

const DEFAULT_ISSUER = 'https://kubernetes.default.svc.cluster.local';

/** Throws ConfigError, which names the field. */
export function shapeConfig(reader: ConfigReader): Config {
  const host = reader.string('host', '127.0.0.1');
  const tls = tlsOf(reader.object('tls'));
  return {
    logLevel: reader.oneOf('logLevel', LOG_LEVELS, 'info'),
    host,
    port: reader.port('port', 6443),
    grpcPort: reader.port('grpcPort', 6444),
    healthPort: reader.has('healthPort') ? reader.port('healthPort') : null,
    advertiseAddress: reader.string('advertiseAddress', isUnspecified(host) ? machineAddress() : host),
    etcd: etcdOf(reader.object('etcd')),
    tls,
    nodeClient: reader.has('nodeClient') ? authorityAndPair(reader.object('nodeClient')) : null,
    serviceAccounts: serviceAccountsOf(reader.object('serviceAccounts'), tls.clientAuthority),
    encryptionKeys: reader.absolutePath('encryptionKeys'),
    serviceCidr: reader.string('serviceCidr', '10.96.0.0/16'),
    nodePortRange: reader.string('nodePortRange', '30000-32767'),
    anonymous: reader.boolean('anonymous', true),
  };
}

const isUnspecified = (host: string): boolean => host === '0.0.0.0' || host === '::';

const pairOf = (reader: ConfigReader): KeyPair => ({ cert: reader.file('cert'), key: reader.file('key') });

const authorityAndPair = (reader: ConfigReader) => ({ ca: reader.file('ca'), ...pairOf(reader) });

const tlsOf = (reader: ConfigReader) => ({ clientAuthority: reader.file('clientCa'), ...pairOf(reader) });

/** Without certificates only for an etcd that has none either, as in tests. */
const etcdOf = (reader: ConfigReader): Config['etcd'] => ({
  endpoints: reader.strings('endpoints'),
  prefix: reader.string('prefix', '/periplus'),
  tls: reader.has('tls') ? authorityAndPair(reader.object('tls')) : null,
  probe: reader.has('probe') ? authorityAndPair(reader.object('probe')) : null,
});

function serviceAccountsOf(reader: ConfigReader, clientAuthority: Buffer): ServiceAccountsConfig {
  const issuer = reader.string('issuer', DEFAULT_ISSUER);
  return {
    issuer,
    jwksUri: reader.has('jwksUri') ? reader.string('jwksUri') : null,
    audiences: reader.strings('audiences', [issuer]),
    signingKey: reader.file('signingKey'),
    verificationKeys: reader.has('verificationKey') ? [reader.file('verificationKey')] : [],
    rootCa: reader.has('rootCa') ? reader.file('rootCa') : clientAuthority,
  };
}
