import { setTimeout as pause } from 'node:timers/promises';
import type { Kind } from '@periplus/api';
import { type DeepReadonly, isExpired, type KubeObject } from '@periplus/apimachinery';
import { IndexedObjects, type Indexer, nameOf } from './indexed-objects.ts';
import type { ResourceClient, ResourceEvent } from './resource-client.ts';

/** Objects of one page of a list. */
const PAGE = 500;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 30_000;

/** What becomes of objects, told one after the other. An object belongs to the informer: nobody may change it. */
export interface InformerHandlers<T> {
  added?(object: DeepReadonly<T>): void;
  /** `old` is `object` itself in a resync. */
  updated?(object: DeepReadonly<T>, old: DeepReadonly<T>): void;
  /** With the last state that is known. */
  deleted?(object: DeepReadonly<T>): void;
}

export interface InformerOptions<T extends KubeObject> {
  client: Pick<ResourceClient, 'list' | 'watch'>;
  kind: Kind<T>;
  /** Absent: all namespaces. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Lookups by other things than the name. */
  indexers?: Readonly<Record<string, Indexer<T>>>;
  /** As often `updated` is called for every object though nothing changed; absent: never. */
  resyncMs?: number;
  /** Why the api-server could not be listened to, or a handler failed. The informer goes on. */
  onError?(error: unknown): void;
}

/**
 * The objects of one kind, kept up to date: lists them, watches from there, resumes where a watch ended, and lists again
 * when the api-server no longer knows what came since (410). Handlers hear of every object, and of no change twice;
 * several changes of one object may be told as one after a list.
 */
export class Informer<T extends KubeObject> {
  private readonly options: InformerOptions<T>;
  private readonly objects: IndexedObjects<T>;
  private readonly handlers = new Set<InformerHandlers<T>>();
  /** Behind which the next watch begins; null: only a list can tell. */
  private version: string | null = null;
  private failures = 0;

  constructor(options: InformerOptions<T>) {
    this.options = options;
    this.objects = new IndexedObjects(options.indexers ?? {});
  }

  /** Resolves when everything is known for the first time; goes on until `signal` aborts, and rejects if that is earlier. */
  start(signal: AbortSignal): Promise<void> {
    const synced = Promise.withResolvers<void>();
    if (this.options.resyncMs) {
      const timer = setInterval(() => this.resync(), this.options.resyncMs);
      timer.unref();
      signal.addEventListener('abort', () => clearInterval(timer), { once: true });
    }
    signal.addEventListener('abort', () => synced.reject(signal.reason), { once: true });
    void this.run(signal, synced.resolve);
    return synced.promise;
  }

  /** Whoever comes late is told of what there is. Returns how to stop listening. */
  listen(handlers: InformerHandlers<T>): () => void {
    this.handlers.add(handlers);
    for (const object of this.objects.values()) this.guard(() => handlers.added?.(object));
    return () => this.handlers.delete(handlers);
  }

  /** `namespace` is '' for kinds without. */
  get(namespace: string, name: string): DeepReadonly<T> | undefined {
    return this.objects.get(nameOf({ metadata: { namespace, name } }));
  }

  /** In no order. */
  list(): DeepReadonly<T>[] {
    return this.objects.values();
  }

  /** Throws RangeError for an index that was not declared. */
  byIndex(index: string, value: string): DeepReadonly<T>[] {
    return this.objects.byIndex(index, value);
  }

  private async run(signal: AbortSignal, synced: () => void): Promise<void> {
    while (!signal.aborted) {
      try {
        this.version ??= await this.relist();
        synced();
        await this.watch(this.version, signal);
        this.failures++;
      } catch (error) {
        if (isExpired(error)) this.version = null;
        else this.options.onError?.(error);
        this.failures++;
      }
      // Half of the delay is random, so that many informers of a restarted api-server do not come at once.
      const delayMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(this.failures - 1, 16));
      await pause(delayMs * (0.5 + Math.random() / 2), undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** Takes over a whole list, and returns its version. */
  private async relist(): Promise<string> {
    const { client, kind, namespace = '' } = this.options;
    const found = new Map<string, DeepReadonly<T>>();
    for (let next = ''; ; ) {
      const page = await client.list(kind, namespace, { ...this.selection(), limit: PAGE, continue: next });
      for (const object of page.items) found.set(nameOf(object), object as DeepReadonly<T>);
      next = page.continue;
      if (next !== '') continue;
      for (const name of this.objects.names()) if (!found.has(name)) this.remove(name);
      for (const [name, object] of found) this.put(name, object);
      return page.resourceVersion;
    }
  }

  private async watch(resourceVersion: string, signal: AbortSignal): Promise<void> {
    const { client, kind, namespace = '' } = this.options;
    const from = { ...this.selection(), resourceVersion, allowBookmarks: true, signal };
    for await (const event of client.watch(kind, namespace, from)) {
      if (signal.aborted) return;
      this.take(event);
      this.version = event.object.metadata.resourceVersion ?? this.version;
      this.failures = 0;
    }
  }

  private take({ type, object }: ResourceEvent<T>): void {
    if (type === 'BOOKMARK') return;
    const name = nameOf(object);
    if (type === 'DELETED') this.remove(name, object as DeepReadonly<T>);
    else this.put(name, object as DeepReadonly<T>);
  }

  private put(name: string, object: DeepReadonly<T>): void {
    const old = this.objects.set(name, object);
    if (old === undefined) this.tell((handlers) => handlers.added?.(object));
    else if (isAnother(object, old)) {
      this.tell((handlers) => handlers.deleted?.(old));
      this.tell((handlers) => handlers.added?.(object));
    } else if (old.metadata.resourceVersion !== object.metadata.resourceVersion) {
      this.tell((handlers) => handlers.updated?.(object, old));
    }
  }

  private remove(name: string, last?: DeepReadonly<T>): void {
    const old = this.objects.delete(name);
    if (old !== undefined) this.tell((handlers) => handlers.deleted?.(last ?? old));
  }

  private resync(): void {
    for (const object of this.objects.values()) this.tell((handlers) => handlers.updated?.(object, object));
  }

  private tell(what: (handlers: InformerHandlers<T>) => void): void {
    for (const handlers of this.handlers) this.guard(() => what(handlers));
  }

  private guard(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.options.onError?.(error);
    }
  }

  private selection(): { labelSelector: string; fieldSelector: string } {
    const { labelSelector = '', fieldSelector = '' } = this.options;
    return { labelSelector, fieldSelector };
  }
}

/** Deleted and created again under the same name, while nobody could tell. */
const isAnother = (one: DeepReadonly<KubeObject>, other: DeepReadonly<KubeObject>): boolean =>
  one.metadata.uid !== other.metadata.uid;
