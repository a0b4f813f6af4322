import { type ConfigReader, LOG_LEVELS, type LogLevel, machineAddress } from '@periplus/component';

/** PEM. */
interface KeyPair {
  cert: Buffer;
  key: Buffer;
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
  serviceAccounts: { issuer: string; signingKey: Buffer; verificationKeys: Buffer[] };
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
  return {
    logLevel: reader.oneOf('logLevel', LOG_LEVELS, 'info'),
    host,
    port: reader.port('port', 6443),
    grpcPort: reader.port('grpcPort', 6444),
    healthPort: reader.has('healthPort') ? reader.port('healthPort') : null,
    advertiseAddress: reader.string('advertiseAddress', isUnspecified(host) ? machineAddress() : host),
    etcd: etcdOf(reader.object('etcd')),
    tls: tlsOf(reader.object('tls')),
    nodeClient: reader.has('nodeClient') ? authorityAndPair(reader.object('nodeClient')) : null,
    serviceAccounts: serviceAccountsOf(reader.object('serviceAccounts')),
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

const serviceAccountsOf = (reader: ConfigReader): Config['serviceAccounts'] => ({
  issuer: reader.string('issuer', DEFAULT_ISSUER),
  signingKey: reader.file('signingKey'),
  verificationKeys: reader.has('verificationKey') ? [reader.file('verificationKey')] : [],
});
