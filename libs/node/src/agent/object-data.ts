import { configMap, secret, serviceAccount } from '@periplus/api';
import { isNotFound, type KubeObject } from '@periplus/apimachinery';
import type { ResourceClient } from '@periplus/client';
import type { Pod } from '../pod/pod-types.ts';
import type { ObjectData, ServiceAccountToken, TokenRequest } from '../volumes/volume-files.ts';

/** Pods that start together share what was read, as long as it is this fresh. */
const SHARED_MS = 1_000;
/** A token is renewed when four fifths of its life are over, and at the latest after a day. */
const TOKEN_LIFE_USED = 0.8;
const TOKEN_AGE_MS_MAX = 24 * 3_600_000;

interface Cached<T> {
  atMs: number;
  value: Promise<T>;
}

/** What pods read of the API: ConfigMaps, Secrets and tokens of their service account. */
export interface DataSource {
  /** Undefined when there is none. `ageMsMax`: how old the answer may be. Rejects when it can't be read. */
  configMap(namespace: string, name: string, ageMsMax?: number): Promise<ObjectData | undefined>;
  secret(namespace: string, name: string, ageMsMax?: number): Promise<ObjectData | undefined>;
  token(pod: Pod, request: TokenRequest): Promise<ServiceAccountToken>;
  forget(uid: string): void;
}

/** Reads through the api-server, which lets a node read only what its own pods name. */
export class ApiDataSource implements DataSource {
  private readonly client: ResourceClient;
  private readonly now: () => number;
  private readonly objects = new Map<string, Cached<ObjectData | undefined>>();
  private readonly tokens = new Map<string, Promise<ServiceAccountToken>>();

  constructor(client: ResourceClient, now: () => number) {
    this.client = client;
    this.now = now;
  }

  configMap(namespace: string, name: string, ageMsMax = SHARED_MS): Promise<ObjectData | undefined> {
    return this.cached(`configmaps/${namespace}/${name}`, ageMsMax, async () => {
      const { data = {}, binaryData = {} } = await this.client.get(configMap, namespace, name);
      const files = new Map(Object.entries(data).map(([key, text]) => [key, Buffer.from(text)]));
      for (const [key, base64] of Object.entries(binaryData)) files.set(key, Buffer.from(base64, 'base64'));
      return { text: data, files };
    });
  }

  secret(namespace: string, name: string, ageMsMax = SHARED_MS): Promise<ObjectData | undefined> {
    return this.cached(`secrets/${namespace}/${name}`, ageMsMax, async () => {
      const { data = {} } = await this.client.get(secret, namespace, name);
      const files = new Map(Object.entries(data).map(([key, base64]) => [key, Buffer.from(base64, 'base64')]));
      return { text: Object.fromEntries([...files].map(([key, bytes]) => [key, bytes.toString()])), files };
    });
  }

  async token(pod: Pod, request: TokenRequest): Promise<ServiceAccountToken> {
    const key = `${pod.metadata.uid}/${request.audience}/${request.expirationSeconds}`;
    const known = await this.tokens.get(key)?.catch(() => undefined);
    if (known && known.renewAtMs > this.now()) return known;
    const value = this.requestToken(pod, request);
    this.tokens.set(key, value);
    value.catch(() => this.tokens.delete(key));
    return value;
  }

  forget(uid: string): void {
    for (const key of this.tokens.keys()) if (key.startsWith(`${uid}/`)) this.tokens.delete(key);
  }

  private async requestToken({ metadata, spec }: Pod, request: TokenRequest): Promise<ServiceAccountToken> {
    const object = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: {
        ...(request.audience && { audiences: [request.audience] }),
        expirationSeconds: request.expirationSeconds,
        // The token ends with the pod.
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: metadata.name, uid: metadata.uid },
      },
    };
    const answer = await this.client.execute<KubeObject & { status: { token: string; expirationTimestamp: string } }>({
      verb: 'create',
      kind: serviceAccount,
      namespace: metadata.namespace,
      name: spec.serviceAccountName ?? 'default',
      subresource: 'token',
      object,
    });
    const nowMs = this.now();
    const lifeMs = Date.parse(answer.status.expirationTimestamp) - nowMs;
    return { token: answer.status.token, renewAtMs: nowMs + Math.min(lifeMs * TOKEN_LIFE_USED, TOKEN_AGE_MS_MAX) };
  }

  private cached(key: string, ageMsMax: number, read: () => Promise<ObjectData>): Promise<ObjectData | undefined> {
    const nowMs = this.now();
    const known = this.objects.get(key);
    if (known && nowMs - known.atMs <= ageMsMax) return known.value;
    const value = read().catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      this.objects.delete(key);
      throw error;
    });
    this.objects.set(key, { atMs: nowMs, value });
    return value;
  }

  /** Drops what has not been read for a while; called now and then. */
  prune(ageMsMax: number): void {
    const oldestMs = this.now() - ageMsMax;
    for (const [key, { atMs }] of this.objects) if (atMs < oldestMs) this.objects.delete(key);
  }
}
