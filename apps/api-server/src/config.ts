import { ConfigError, type ConfigReader, LOG_LEVELS, type LogLevel, machineAddress } from '@periplus/component';
import type { OidcConfig, WebhookConfig } from '@periplus/operations';
import { readKubeconfig } from './kubeconfig.ts';

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
  /** An OpenID Connect provider whose ID tokens are taken. Null: none. */
  oidc: OidcConfig | null;
  /** A server that is asked about tokens which nothing else knows. Null: none. */
  tokenWebhook: WebhookConfig | null;
  /** Path of the keys that Secrets are sealed with. */
  encryptionKeys: string;
  /** What addresses of Services are taken from. */
  serviceCidr: string;
  /** First and last: "30000-32767". */
  nodePortRange: string;
  /** Whether requests without credentials are let in as system:anonymous. */
  anonymous: boolean;
}

/** The `usernamePrefix` that means none. As kube-apiserver. */
const NO_PREFIX = '-';
const SIGNING_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'];
const WEBHOOK_CACHE_SECONDS = 120;
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
    oidc: reader.has('oidc') ? oidcOf(reader.object('oidc')) : null,
    tokenWebhook: reader.has('tokenWebhook') ? tokenWebhookOf(reader.object('tokenWebhook')) : null,
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

/** As kube-apiserver's --oidc-* options: issuerUrl, clientId, usernameClaim, usernamePrefix and so on. */
function oidcOf(reader: ConfigReader): OidcConfig {
  const issuerUrl = reader.string('issuerUrl');
  const url = URL.parse(issuerUrl);
  if (url?.protocol !== 'https:' || url.search !== '' || url.hash !== '') {
    throw new ConfigError('oidc.issuerUrl', 'must be an https URL without query and fragment');
  }
  const usernameClaim = reader.string('usernameClaim', 'sub');
  // Only addresses are unique by themselves.
  const prefix = reader.string('usernamePrefix', usernameClaim === 'email' ? NO_PREFIX : `${issuerUrl}#`);
  return {
    issuerUrl,
    clientId: reader.string('clientId'),
    usernameClaim,
    usernamePrefix: prefix === NO_PREFIX ? '' : prefix,
    groupsClaim: reader.has('groupsClaim') ? reader.string('groupsClaim') : '',
    groupsPrefix: reader.has('groupsPrefix') ? reader.string('groupsPrefix') : '',
    requiredClaims: reader.stringMap('requiredClaims', {}),
    signingAlgorithms: signingAlgorithmsOf(reader.strings('signingAlgorithms', ['RS256'])),
    ca: reader.has('ca') ? reader.file('ca') : null,
  };
}

function signingAlgorithmsOf(names: string[]): string[] {
  for (const name of names) {
    if (!SIGNING_ALGORITHMS.includes(name)) {
      throw new ConfigError('oidc.signingAlgorithms', `must be of ${SIGNING_ALGORITHMS.join(', ')}, not ${name}`);
    }
  }
  return names;
}

/** `kubeconfig` says where the webhook is; `cacheSeconds` how long its answers hold. */
const tokenWebhookOf = (reader: ConfigReader): WebhookConfig => ({
  ...readKubeconfig(reader.absolutePath('kubeconfig'), 'tokenWebhook.kubeconfig'),
  cacheMs: reader.integer('cacheSeconds', { min: 0, max: 3_600 }, WEBHOOK_CACHE_SECONDS) * 1_000,
});
