import {
  type IngressClass,
  type IPAddress,
  ingressClass,
  ipAddress,
  isDefaultIngressClass,
  isDefaultStorageClass,
  type Kind,
  type LimitRange,
  limitRange,
  newestOf,
  type Pod,
  type PodDisruptionBudget,
  type PriorityClass,
  pod,
  podDisruptionBudget,
  priorityClass,
  type ResourceQuota,
  resourceQuota,
  type Service,
  type StorageClass,
  service,
  storageClass,
} from '@periplus/api';
import {
  compileLabelSelector,
  type DeepReadonly,
  type GroupResource,
  type KubeObject,
  type ResourceKey,
  StatusError,
} from '@periplus/apimachinery';
import { type ClusterCache, type Entry, type Index, textsBehind, type View } from '@periplus/cache';
import { allocationPath } from '@periplus/store';
import { allocationsOf, CLUSTER_IPS } from './writing/companions.ts';

/** The part of the cache that the core reads. */
export interface CacheReader
  extends Pick<
    ClusterCache,
    'revision' | 'waitFor' | 'current' | 'get' | 'list' | 'count' | 'subscribe' | 'changesSince' | 'oldest'
  > {
  view(nowMs: number): Pick<View, 'index' | 'list'>;
}

const podsByNode: Index<Pod> = {
  name: 'pods by node',
  kind: pod,
  keys: ({ spec }) => (spec.nodeName ? [spec.nodeName] : []),
  candidates: ({ bytes }) => textsBehind(bytes, '"nodeName":"'),
};

/** Who holds an address or node port. */
const servicesByAllocation: Index<Service> = {
  name: 'services by allocation',
  kind: service,
  keys: (object) => [...allocationsOf(object)],
};

/** An address is taken by its IPAddress, too, whoever made that. */
const addressesByAllocation: Index<IPAddress> = {
  name: 'addresses by allocation',
  kind: ipAddress,
  keys: ({ metadata }) => [allocationPath(CLUSTER_IPS, metadata.name!)],
};

const inNamespace = ({ metadata }: DeepReadonly<KubeObject>): readonly string[] => [metadata.namespace!];

const limitRanges: Index<LimitRange> = { name: 'limit ranges by namespace', kind: limitRange, keys: inNamespace };

const budgets: Index<PodDisruptionBudget> = {
  name: 'disruption budgets by namespace',
  kind: podDisruptionBudget,
  keys: inNamespace,
};
const quotas: Index<ResourceQuota> = { name: 'quotas by namespace', kind: resourceQuota, keys: inNamespace };

/** The one value under which an index has all that are the default of their kind. */
const DEFAULT = 'default';

const defaultPriorityClasses: Index<PriorityClass> = {
  name: 'default priority classes',
  kind: priorityClass,
  keys: ({ globalDefault }) => (globalDefault ? [DEFAULT] : []),
};

const defaultStorageClasses: Index<StorageClass> = {
  name: 'default storage classes',
  kind: storageClass,
  keys: (object) => (isDefaultStorageClass(object) ? [DEFAULT] : []),
};

const defaultIngressClasses: Index<IngressClass> = {
  name: 'default ingress classes',
  kind: ingressClass,
  keys: (object) => (isDefaultIngressClass(object) ? [DEFAULT] : []),
};

/** What the cache must be opened with. */
export const cacheIndexes: readonly Index[] = [
  podsByNode,
  servicesByAllocation,
  addressesByAllocation,
  limitRanges,
  budgets,
  quotas,
  defaultPriorityClasses,
  defaultStorageClasses,
  defaultIngressClasses,
] as readonly unknown[] as Index[];

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** How long a request waits for the cache to reach a revision that etcd has. */
const CATCH_UP_MS_MAX = 10_000;

/** The kind in whose form, and under whose resource, objects of `kind` are stored. */
export const storageKind = (kind: Kind): Kind => kind.storedAs?.kind ?? kind;

const keyOf = (kind: Kind, namespace: string, name: string): ResourceKey => {
  const { group, plural } = storageKind(kind);
  return { group, resource: plural, namespace, name };
};

export const resourceOf = (kind: Kind): GroupResource => {
  const { group, plural } = storageKind(kind);
  return { group, resource: plural };
};

/** The resource as clients name it, for messages. */
export const namedResource = (kind: Kind): GroupResource => ({ group: kind.group, resource: kind.plural });

/** etcd does not say how far the cluster is, so nothing can be said for sure. */
function unreachable(error: unknown): never {
  if (error instanceof StatusError) throw error;
  const why = `etcd cannot be read: ${error instanceof Error ? error.message : error}`;
  throw new StatusError('ServiceUnavailable', why, { retryAfterSeconds: 1 }, { cause: error });
}

/** What the core knows about the cluster: the cache, and when it is good enough. */
export class ClusterState {
  readonly cache: CacheReader;

  constructor(cache: CacheReader) {
    this.cache = cache;
  }

  entry(kind: Kind, namespace: string, name: string): Entry | undefined {
    return this.cache.get(keyOf(kind, namespace, name));
  }

  /** In its stored form. */
  object<T extends KubeObject>(kind: Kind<T>, namespace: string, name: string): DeepReadonly<T> | undefined {
    return this.cache.get(keyOf(kind as unknown as Kind, namespace, name))?.object as DeepReadonly<T> | undefined;
  }

  *objects<T extends KubeObject>(kind: Kind<T>): Iterable<DeepReadonly<T>> {
    for (const entry of this.cache.list(resourceOf(kind as unknown as Kind))) yield entry.object as DeepReadonly<T>;
  }

  podsIn(namespace: string): readonly DeepReadonly<Pod>[] {
    const entries = this.cache.list(resourceOf(pod as unknown as Kind), namespace);
    return entries.map(({ object }) => object as DeepReadonly<Pod>);
  }

  podsOn(node: string): readonly DeepReadonly<Pod>[] {
    return this.cache.view(0).index(podsByNode, node);
  }

  /** By name. */
  limitRangesIn(namespace: string): readonly DeepReadonly<LimitRange>[] {
    const found = this.cache.view(0).index(limitRanges, namespace);
    return found.length < 2
      ? found
      : [...found].sort((one, other) => compare(one.metadata.name!, other.metadata.name!));
  }

  /** Those that select the pod. */
  budgetsOf({ metadata }: DeepReadonly<Pod>): readonly DeepReadonly<PodDisruptionBudget>[] {
    const found = this.cache.view(0).index(budgets, metadata.namespace!);
    return found.filter(({ spec }) => compileLabelSelector(spec.selector).matches(metadata.labels));
  }

  quotasIn(namespace: string): readonly DeepReadonly<ResourceQuota>[] {
    return this.cache.view(0).index(quotas, namespace);
  }

  /** For pods that name no class; where there are several, the lowest. */
  defaultPriorityClass(): DeepReadonly<PriorityClass> | undefined {
    const found = this.cache.view(0).index(defaultPriorityClasses, DEFAULT);
    return found.length < 2 ? found[0] : [...found].sort((one, other) => one.value - other.value)[0];
  }

  /** For claims that name no class. */
  defaultStorageClass(): DeepReadonly<StorageClass> | undefined {
    return newestOf(this.cache.view(0).index(defaultStorageClasses, DEFAULT));
  }

  /** For ingresses that name no class. */
  defaultIngressClass(): DeepReadonly<IngressClass> | undefined {
    return newestOf(this.cache.view(0).index(defaultIngressClasses, DEFAULT));
  }

  /** Whether somebody holds what `path` stands for. */
  isAllocated(path: string): boolean {
    const view = this.cache.view(0);
    return view.index(servicesByAllocation, path).length > 0 || view.index(addressesByAllocation, path).length > 0;
  }

  /** Resolves when everything that had happened before the call is in. */
  async refresh(): Promise<void> {
    await this.reach(await this.cache.current().catch(unreachable));
  }

  /** Resolves when `revision`, which etcd is known to have, is in. Rejects with ServerTimeout when that takes too long. */
  async reach(revision: number): Promise<void> {
    if (await this.reachesWithin(revision, CATCH_UP_MS_MAX)) return;
    const why = 'the server could not catch up with the cluster in time, please try again';
    throw new StatusError('ServerTimeout', why, { retryAfterSeconds: 1 });
  }

  /** Whether everything up to `revision` is in, after at most `waitMs`. */
  async reachesWithin(revision: number, waitMs: number): Promise<boolean> {
    if (this.cache.revision >= revision) return true;
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), waitMs);
    try {
      await this.cache.waitFor(revision, patience.signal);
      return true;
    } catch (error) {
      if (patience.signal.aborted) return false;
      return unreachable(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What `find` finds: at once, after a refresh, or when it appears within `waitMs`; else undefined. */
  async eventually<T>(find: () => T | undefined, waitMs = 0): Promise<T | undefined> {
    const found = find();
    if (found !== undefined) return found;
    await this.refresh();
    return find() ?? (waitMs > 0 ? this.appears(find, waitMs) : undefined);
  }

  private appears<T>(find: () => T | undefined, waitMs: number): Promise<T | undefined> {
    return new Promise((resolve) => {
      const settle = (found: T | undefined): void => {
        clearTimeout(timer);
        unsubscribe();
        resolve(found);
      };
      const timer = setTimeout(() => settle(undefined), waitMs);
      const unsubscribe = this.cache.subscribe(() => {
        const found = find();
        if (found !== undefined) settle(found);
      });
    });
  }
}
