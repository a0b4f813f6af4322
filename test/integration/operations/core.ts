import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { builtinKinds } from '@periplus/api';
import type { JsonValue, KubeObject, StatusError } from '@periplus/apimachinery';
import { ClusterCache, type WindowLimits } from '@periplus/cache';
import { type EtcdClient, openEtcd } from '@periplus/etcd';
import {
  type Authenticator,
  BootstrapTokenAuthenticator,
  bootstrap,
  type ClusterAuthorizer,
  cacheIndexes,
  createAuthenticator,
  createAuthorizer,
  createOperations,
  forApiServer,
  LegacyTokenAuthenticator,
  LegacyTokenUses,
  type NodeUsageSource,
  type ObjectResult,
  type Operations,
  type RequestContext,
  ServiceAccountAuthenticator,
  ServiceAccountTokens,
  ServiceNetwork,
  type Target,
  type User,
} from '@periplus/operations';
import { Cipher, openStore, type Store } from '@periplus/store';
import { startEtcd } from '@periplus/testing';

const PREFIX = '/periplus';
export const ROOT_CA = '-----BEGIN CERTIFICATE-----\n';
export const admin: User = { name: 'admin', uid: '', groups: ['system:masters', 'system:authenticated'], extra: {} };
export const user = (name: string, ...groups: string[]): User => ({
  name,
  uid: '',
  groups: [...groups, 'system:authenticated'],
  extra: {},
});

const kinds = builtinKinds();

/** A target by what URLs say: `at('apps/v1/deployments', 'default', 'web', 'status')`. */
export function at(resource: string, namespace = '', name = '', subresource = ''): Target {
  const parts = resource.split('/');
  const [group, version, plural] = parts.length === 3 ? parts : ['', ...parts];
  const kind = kinds.byResource(group!, version!, plural!);
  if (!kind) throw new Error(`no such resource: ${resource}`);
  return { kind, namespace, name, subresource };
}

export const body = (value: object): { value: JsonValue; json: string } => {
  const json = JSON.stringify(value);
  return { value: JSON.parse(json) as JsonValue, json };
};

export interface TestCore extends AsyncDisposable {
  /** Of its etcd, which asks for no certificate. */
  endpoints: readonly string[];
  etcd: EtcdClient;
  store: Store;
  cache: ClusterCache;
  operations: Operations;
  authorizer: ClusterAuthorizer;
  authenticator: Authenticator;
  tokens: ServiceAccountTokens;
  network: ServiceNetwork;
  as(who: User, more?: Partial<RequestContext>): RequestContext;
  create(resource: string, namespace: string, object: object, who?: User): Promise<ObjectResult>;
  get(resource: string, namespace: string, name: string): Promise<KubeObject>;
}

/** The whole core on an etcd of its own. */
export async function startCore(
  options: {
    serviceCidr?: string;
    nodePortRange?: string;
    window?: WindowLimits;
    nodeUsage?: NodeUsageSource['usageOf'];
    etcdArgs?: string[];
  } = {},
): Promise<TestCore> {
  const stack = new AsyncDisposableStack();
  const testEtcd = stack.use(await startEtcd({ args: options.etcdArgs ?? [] }));
  const etcd = openEtcd(await testEtcd.options());
  stack.defer(() => etcd.close());
  const cipher = new Cipher([{ id: 'test', key: Buffer.alloc(32, 7) }]);
  const ending = new AbortController();
  const cache = new ClusterCache({
    ...{ etcd, prefix: PREFIX, cipher, indexes: cacheIndexes, window: options.window },
    log: { info: () => {}, warn: () => {}, error: () => {} },
  });
  stack.defer(() => ending.abort());
  await cache.start(ending.signal);
  const store = openStore({ etcd, prefix: PREFIX, cipher });
  stack.defer(() => store.close());
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const tokens = new ServiceAccountTokens({
    signingKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    issuer: 'https://kubernetes.default.svc.cluster.local',
    audiences: ['https://kubernetes.default.svc.cluster.local'],
  });
  const network = new ServiceNetwork({
    serviceCidr: options.serviceCidr ?? '10.96.0.0/12',
    nodePortRange: options.nodePortRange ?? '30000-32767',
  });
  const authorizer = createAuthorizer({ cache });
  const uses = new LegacyTokenUses(Date.now);
  const authenticator = createAuthenticator({
    tokens: [
      forApiServer(tokens.audiences, new LegacyTokenAuthenticator({ cache, tokens, now: Date.now, uses })),
      new ServiceAccountAuthenticator({ cache, tokens, now: Date.now }),
      forApiServer(tokens.audiences, new BootstrapTokenAuthenticator({ cache, now: Date.now })),
    ],
    audiences: tokens.audiences,
    anonymous: true,
  });
  const rootCa = Buffer.from(ROOT_CA);
  const nodeUsage = { usageOf: options.nodeUsage ?? (async () => null) };
  const operations = createOperations({
    ...{ cache, store, authorizer, authenticator, tokens, rootCa, network, nodeUsage },
    components: [],
  });
  stack.defer(() => operations.close());
  uses.writeTo(operations);
  const advertised = { address: '192.168.1.10', port: 6443 };
  await bootstrap({ operations, network, advertised, clientAuthority: rootCa, now: Date.now });

  const as = (who: User, more: Partial<RequestContext> = {}): RequestContext => ({
    ...{ user: who, requestId: randomUUID(), cause: null, dryRun: false, fieldManager: 'test' },
    ...{ fieldValidation: 'Strict', warnings: [], nowMs: Date.now() },
    ...more,
  });
  return {
    endpoints: testEtcd.endpoints,
    ...{ etcd, store, cache, operations, authorizer, authenticator, tokens, network, as },
    create: (resource, namespace, object, who = admin) =>
      operations.create(as(who), at(resource, namespace), body(object)),
    get: async (resource, namespace, name) =>
      structuredClone((await operations.get(as(admin), at(resource, namespace, name), {})).object) as KubeObject,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

export const podOf = (name: string, more: Record<string, unknown> = {}): object => ({
  kind: 'Pod',
  apiVersion: 'v1',
  metadata: { name },
  spec: { containers: [{ name: 'main', image: 'localhost/app:1' }], ...more },
});

export const serviceAccountOf = (name: string): object => ({
  kind: 'ServiceAccount',
  apiVersion: 'v1',
  metadata: { name },
});

/** The error of what must fail. */
export async function refusal(attempt: Promise<unknown>): Promise<StatusError> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason as StatusError,
  );
  if (!error) throw new Error('it was not refused');
  return error;
}
