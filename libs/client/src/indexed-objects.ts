import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';

/** The values under which an object is found in an index. */
export type Indexer<T> = (object: DeepReadonly<T>) => readonly string[];

/** How an object is named among those of its kind: `[<namespace>/]<name>`. */
export const nameOf = ({
  metadata,
}: {
  readonly metadata: Pick<DeepReadonly<KubeObject['metadata']>, 'namespace' | 'name'>;
}): string => (metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name!);

/** Objects of one kind by name, and by what indexers say of them. */
export class IndexedObjects<T extends KubeObject> {
  private readonly objects = new Map<string, DeepReadonly<T>>();
  private readonly indexers: Readonly<Record<string, Indexer<T>>>;
  /** Names by index and value. */
  private readonly indexes = new Map<string, Map<string, Set<string>>>();

  constructor(indexers: Readonly<Record<string, Indexer<T>>>) {
    this.indexers = indexers;
    for (const index of Object.keys(indexers)) this.indexes.set(index, new Map());
  }

  get(name: string): DeepReadonly<T> | undefined {
    return this.objects.get(name);
  }

  names(): string[] {
    return [...this.objects.keys()];
  }

  values(): DeepReadonly<T>[] {
    return [...this.objects.values()];
  }

  /** Throws RangeError for an index that nobody declared. */
  byIndex(index: string, value: string): DeepReadonly<T>[] {
    const names = this.indexOf(index).get(value) ?? [];
    return Array.from(names, (name) => this.objects.get(name)!);
  }

  /** Returns what it replaces. */
  set(name: string, object: DeepReadonly<T>): DeepReadonly<T> | undefined {
    const old = this.delete(name);
    this.objects.set(name, object);
    for (const [index, indexer] of Object.entries(this.indexers)) {
      const names = this.indexOf(index);
      for (const value of indexer(object)) {
        const found = names.get(value);
        if (found) found.add(name);
        else names.set(value, new Set([name]));
      }
    }
    return old;
  }

  /** Returns what was there. */
  delete(name: string): DeepReadonly<T> | undefined {
    const old = this.objects.get(name);
    if (old === undefined) return undefined;
    this.objects.delete(name);
    for (const [index, indexer] of Object.entries(this.indexers)) {
      const names = this.indexOf(index);
      for (const value of indexer(old)) {
        const found = names.get(value);
        found?.delete(name);
        if (found?.size === 0) names.delete(value);
      }
    }
    return old;
  }

  private indexOf(index: string): Map<string, Set<string>> {
    const names = this.indexes.get(index);
    if (!names) throw new RangeError(`there is no index ${JSON.stringify(index)}`);
    return names;
  }
}
