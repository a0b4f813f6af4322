import type { Kind } from '@periplus/api';
import type { DeepReadonly, KubeObject, ResourceKey } from '@periplus/apimachinery';
import type { ChangeListener, Entry, ListRange, ResourceId, View } from '@periplus/cache';
import { resourcePath } from '@periplus/store';
import { type CacheReader, resourceOf } from '../cluster-state.ts';

const keyIn = ({ group, resource }: ResourceId, { metadata }: DeepReadonly<KubeObject>): string =>
  resourcePath({ group, resource, namespace: metadata.namespace ?? '', name: metadata.name! });

/** The cluster with what a transaction has done to it so far, for the rest of the transaction. */
export class StagedCache implements CacheReader {
  private readonly cache: CacheReader;
  /** By resource path; null for what is removed. */
  private readonly staged = new Map<string, Entry | null>();
  /** One is enough: everything that was acknowledged before the transaction began is then in. */
  private newest: Promise<number> | null = null;

  constructor(cache: CacheReader) {
    this.cache = cache;
  }

  /** Puts the next state of an object, as stored, on top of the cluster. */
  stage(key: ResourceKey, old: Entry | null, object: DeepReadonly<KubeObject> | null, by: Entry['provenance']): void {
    this.staged.set(resourcePath(key), object && stagedEntry(key, old, object, by));
  }

  get revision(): number {
    return this.cache.revision;
  }

  waitFor(revision: number, signal?: AbortSignal): Promise<void> {
    return this.cache.waitFor(revision, signal);
  }

  current(): Promise<number> {
    this.newest ??= this.cache.current();
    return this.newest;
  }

  get(key: ResourceKey): Entry | undefined {
    const staged = this.staged.get(resourcePath(key));
    return staged === undefined ? this.cache.get(key) : (staged ?? undefined);
  }

  /** What is staged comes last, whatever its name. */
  list(of: ResourceId, namespace?: string, range?: ListRange): Entry[] {
    const standing = this.cache.list(of, namespace, range).filter(({ key }) => !this.staged.has(resourcePath(key)));
    return [...standing, ...this.stagedIn(of, namespace)];
  }

  count(of: ResourceId, namespace?: string): number {
    return this.list(of, namespace).length;
  }

  view(nowMs: number): Pick<View, 'index' | 'list'> {
    const view = this.cache.view(nowMs);
    return {
      index: (index, value) => {
        const staged = this.objectsIn(index.kind).filter((object) => index.keys(object).includes(value));
        return [...this.untouched(index.kind, view.index(index, value)), ...staged];
      },
      list: (kind, namespace) => [
        ...this.untouched(kind, view.list(kind, namespace)),
        ...this.objectsIn(kind, namespace),
      ],
    };
  }

  /** Without those of which something is staged. */
  private untouched<T extends KubeObject>(kind: Kind<T>, objects: readonly DeepReadonly<T>[]): DeepReadonly<T>[] {
    const of = resourceOf(kind as unknown as Kind);
    return objects.filter((object) => !this.staged.has(keyIn(of, object as DeepReadonly<KubeObject>)));
  }

  private objectsIn<T extends KubeObject>(kind: Kind<T>, namespace?: string): DeepReadonly<T>[] {
    return this.stagedIn(resourceOf(kind as unknown as Kind), namespace).map(({ object }) => object as DeepReadonly<T>);
  }

  subscribe(listener: ChangeListener): () => void {
    return this.cache.subscribe(listener);
  }

  changesSince(...asked: Parameters<CacheReader['changesSince']>): ReturnType<CacheReader['changesSince']> {
    return this.cache.changesSince(...asked);
  }

  get oldest(): CacheReader['oldest'] {
    return this.cache.oldest;
  }

  private stagedIn({ group, resource }: ResourceId, namespace?: string): Entry[] {
    const isIn = ({ key }: Entry): boolean =>
      key.group === group && key.resource === resource && (!namespace || key.namespace === namespace);
    return [...this.staged.values()].filter((entry) => entry !== null && isIn(entry)) as Entry[];
  }
}

/** It stands at no version yet. */
function stagedEntry(
  key: ResourceKey,
  old: Entry | null,
  object: DeepReadonly<KubeObject>,
  provenance: Entry['provenance'],
): Entry {
  const { revision = 0, createRevision = 0, index = 0, resourceVersion = '' } = old ?? {};
  return {
    ...{ key, revision, createRevision, index, resourceVersion, provenance, object },
    owners: object.metadata.ownerReferences ?? [],
    mentions: (text) => JSON.stringify(object).includes(text),
    get bytes() {
      return Buffer.from(JSON.stringify(object));
    },
  };
}
