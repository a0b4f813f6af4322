import type { ResourceKey } from '@periplus/apimachinery';
import type { KeyValue, RevisionBatch } from '@periplus/etcd';
import { type Cipher, decodeTombstone, type Keys, recordParts, type Tombstone } from '@periplus/store';
import { CachedObject, type ObjectChange, pathOf } from './cached-object.ts';
import { ChangeWindow, endOf, type WindowLimits } from './change-window.ts';
import { deletionOf, Listing, type Mirrored, UNSIGNED } from './listing.ts';
import { ObjectIndex } from './object-index.ts';
import { ParsedObjects } from './parsed-objects.ts';
import { SortedObjects } from './sorted-objects.ts';
import type { CacheLog, Index, ResourceId } from './types.ts';

/** All objects of one resource. */
export interface ResourceTable {
  readonly group: string;
  readonly resource: string;
  readonly objects: SortedObjects;
  readonly window: ChangeWindow;
  readonly indexes: ReadonlyMap<Index, ObjectIndex>;
}

export interface StateOptions {
  keys: Keys;
  cipher: Cipher | null;
  withoutManagers?: boolean;
  indexes: readonly Index[];
  only: (resource: ResourceId) => boolean;
  window: WindowLimits;
  log: CacheLog;
}

const idOf = (group: string, resource: string): string => `${group}/${resource}`;

/** The objects of the cluster at one revision, and how events change them. Does no I/O. */
export class ClusterState implements Mirrored {
  /** Everything up to here is in. */
  revision = 0;
  /** What happened before can not be told. */
  listedRevision = 0;
  readonly keys: Keys;
  readonly #options: StateOptions;
  readonly #tables = new Map<string, ResourceTable>();
  readonly #parsed = new ParsedObjects();
  #owners: ObjectIndex | null = null;

  constructor(options: StateOptions) {
    for (const { name, kind } of options.indexes) {
      if (kind.storedAs !== null) throw new Error(`index ${name} must be of the kind that is stored`);
    }
    this.keys = options.keys;
    this.#options = options;
  }

  get tables(): Iterable<ResourceTable> {
    return this.#tables.values();
  }

  table({ group, resource }: ResourceId): ResourceTable | undefined {
    return this.#tables.get(idOf(group, resource));
  }

  get(key: ResourceKey): CachedObject | undefined {
    return this.table(key)?.objects.get(pathOf(key.namespace, key.name));
  }

  *objects(): Iterable<CachedObject> {
    for (const { objects } of this.tables) yield* objects;
  }

  wanted(key: ResourceKey): boolean {
    return this.#options.only(key);
  }

  /** Every object by the uids of its owners. Kept from the first time that somebody asks. */
  get owners(): ObjectIndex {
    if (this.#owners === null) {
      this.#owners = ObjectIndex.owners();
      for (const object of this.objects()) this.#owners.replace(null, object);
    }
    return this.#owners;
  }

  /** The objects that a declared index has under `value`. */
  index(index: Index, value: string): Iterable<CachedObject> {
    if (!this.#options.indexes.includes(index)) throw new Error(`index ${index.name} is not declared with this cache`);
    const { group, plural } = index.kind;
    return this.table({ group, resource: plural })?.indexes.get(index)?.get(value) ?? [];
  }

  /** Applies a whole revision. Returns what it changed, in the order of the writes. */
  apply({ revision, events }: RevisionBatch): ObjectChange[] {
    const changes: ObjectChange[] = [];
    const tombstones = new Map<string, Tombstone>();
    for (const { type, kv } of events) {
      const deleted = type === 'put' ? this.keys.parseTombstone(kv.key) : undefined;
      if (deleted !== undefined) tombstones.set(this.keys.registry(deleted), decodeTombstone(kv.value));
    }
    for (const { type, kv } of events) {
      const key = this.keys.parseRegistry(kv.key);
      if (key === undefined || !this.wanted(key)) continue;
      const previous = this.get(key) ?? null;
      if (type === 'put') {
        const entry = this.decode(kv, previous?.key ?? key);
        if (entry !== null) changes.push({ type: previous === null ? 'added' : 'modified', entry, previous });
      } else if (previous !== null) {
        changes.push(deletionOf(previous, revision, tombstones.get(kv.key) ?? UNSIGNED));
      }
    }
    // etcd lists the events of a transaction in its order, which is that of the indexes, as long as only the store writes.
    changes.sort((a, b) => a.entry.index - b.entry.index);
    for (const change of changes) this.#enter(change).window.push(change);
    this.revision = Math.max(this.revision, revision);
    return changes;
  }

  /** Takes in a whole list, which stays unseen until `finish`. */
  list(): { page(kvs: readonly KeyValue[]): void; finish(revision: number): ObjectChange[] } {
    const listing = new Listing(this);
    return {
      page: (kvs) => listing.page(kvs),
      finish: (revision) => {
        const changes = listing.finish(revision);
        for (const change of changes) this.#enter(change);
        this.revision = Math.max(this.revision, revision);
        this.listedRevision = revision;
        for (const { window } of this.tables) window.restart(endOf(revision));
        return changes;
      },
    };
  }

  /** A value that is no record cannot stop the cluster: what was known of the object stays. */
  decode(kv: KeyValue, key: ResourceKey): CachedObject | null {
    try {
      const parts = recordParts(kv, key, kv.key, this.#options);
      return new CachedObject(parts, pathOf(key.namespace, key.name), this.#parsed);
    } catch (error) {
      this.#options.log.error({ etcdKey: kv.key, revision: kv.modRevision, error }, 'a stored object cannot be read');
      return null;
    }
  }

  #enter({ type, entry, previous }: ObjectChange): ResourceTable {
    const table = this.table(entry.key) ?? this.#newTable(entry.key);
    const now = type === 'deleted' ? null : entry;
    if (now === null) table.objects.delete(entry.path);
    else table.objects.set(now);
    for (const index of table.indexes.values()) index.replace(previous, now);
    this.#owners?.replace(previous, now);
    return table;
  }

  #newTable({ group, resource }: ResourceId): ResourceTable {
    const indexes = this.#options.indexes.filter(({ kind }) => kind.group === group && kind.plural === resource);
    const table = {
      ...{ group, resource, objects: new SortedObjects() },
      // Nothing of this resource has changed since the list, else there would be a table.
      window: new ChangeWindow(this.#options.window, endOf(this.listedRevision)),
      indexes: new Map(indexes.map((index) => [index, ObjectIndex.declared(index)])),
    };
    this.#tables.set(idOf(group, resource), table);
    return table;
  }
}
