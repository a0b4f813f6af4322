import type { Kind } from '@periplus/api';
import type { DeepReadonly, KubeObject, OwnerReference, ResourceKey } from '@periplus/apimachinery';
import type { Provenance } from '@periplus/store';

/** One object at one version. Immutable: a change makes a new entry, so a slice of entries is a snapshot. */
export interface Entry {
  readonly key: ResourceKey;
  readonly revision: number;
  readonly createRevision: number;
  readonly index: number;
  readonly resourceVersion: string;
  readonly provenance: Provenance;
  /** The final JSON at the storage version, shared by every response. */
  readonly bytes: Buffer;
  /** Who owns it, known without parsing the rest of it. */
  readonly owners: readonly DeepReadonly<OwnerReference>[];
  /**
   * Whether a text stands in its JSON, known without parsing it: `"finalizers"`, `"phase":"Failed"`. It begins with a
   * quote and is plain ASCII; a program asks about 30 different ones at most, of which none begins another.
   */
  mentions(text: string): boolean;
  /** Parsed on first use, then kept for a while: each time may give another, equal object. */
  readonly object: DeepReadonly<KubeObject>;
}

/** `pods`, at its storage version. `group` is '' for the core group. */
export interface ResourceId {
  group: string;
  resource: string;
}

/** Where a cache reports what nobody waits for. */
export interface CacheLog {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

export interface Change {
  type: 'added' | 'modified' | 'deleted';
  /** For a deletion: the last state, with the resourceVersion and provenance of the deletion. */
  entry: Entry;
  previous: Entry | null;
}

/** A named lookup, declared with the cache and kept up to date with it. */
export interface Index<T extends KubeObject = KubeObject> {
  readonly name: string;
  readonly kind: Kind<T>;
  keys(object: DeepReadonly<T>): readonly string[];
  /**
   * The keys, and perhaps others, found without parsing the object: most are looked up by few, and parsing each is what
   * an index costs.
   */
  candidates?(entry: Entry): readonly string[];
}

/** The cluster at one revision, read-only. What reconcilers see. */
export interface View {
  readonly revision: number;
  /** Milliseconds since the epoch; the only clock a reconciler has. */
  readonly nowMs: number;
  get<T extends KubeObject>(kind: Kind<T>, namespace: string, name: string): DeepReadonly<T> | undefined;
  /** All namespaces when `namespace` is absent. No order is promised. */
  list<T extends KubeObject>(kind: Kind<T>, namespace?: string): readonly DeepReadonly<T>[];
  /** Objects whose controller or owner reference has this uid. Always indexed. */
  owned<T extends KubeObject>(kind: Kind<T>, ownerUid: string): readonly DeepReadonly<T>[];
  /** Dependents of any kind that name this uid as an owner. */
  dependents(ownerUid: string): readonly Entry[];
  index<T extends KubeObject>(index: Index<T>, value: string): readonly DeepReadonly<T>[];
  entry(key: ResourceKey): Entry | undefined;
  /** Every entry of every kind, for garbage collection and namespace deletion. */
  entries(resource?: { group: string; resource: string }, namespace?: string): Iterable<Entry>;
  /** Whether the node's liveness key stands. */
  alive(node: string): boolean;
}
