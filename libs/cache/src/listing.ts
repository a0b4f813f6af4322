import { REVISION_END, type ResourceKey } from '@periplus/apimachinery';
import type { KeyValue } from '@periplus/etcd';
import { decodeTombstone, type Keys, type Tombstone } from '@periplus/store';
import { CachedObject, type ObjectChange } from './cached-object.ts';

/**
 * A deletion that nobody signed: by hand in etcd, or so long ago that its tombstone is gone. It stands behind all
 * writes of its revision, as the version of a list does.
 */
export const UNSIGNED: Tombstone = { index: REVISION_END, provenance: new Uint8Array(0) };

/** The last state of an object, deleted at `revision`. */
export function deletionOf(previous: CachedObject, revision: number, tombstone: Tombstone): ObjectChange {
  const entry = new CachedObject(previous.deletion(revision, tombstone), previous.path, previous.parsed);
  return { type: 'deleted', entry, previous };
}

/** What a list is compared with. */
export interface Mirrored {
  readonly keys: Keys;
  get(key: ResourceKey): CachedObject | undefined;
  objects(): Iterable<CachedObject>;
  wanted(key: ResourceKey): boolean;
  /** null when the value is not a record. */
  decode(kv: KeyValue, key: ResourceKey): CachedObject | null;
}

/** Compares a list of the log, page by page, with what a mirror holds. Objects that are the same stay the same. */
export class Listing {
  readonly #mirror: Mirrored;
  readonly #listed = new Set<string>();
  readonly #tombstones = new Map<string, { revision: number; tombstone: Tombstone }>();
  readonly #changes: ObjectChange[] = [];

  constructor(mirror: Mirrored) {
    this.#mirror = mirror;
  }

  page(kvs: readonly KeyValue[]): void {
    for (const kv of kvs) {
      const key = this.#mirror.keys.parseRegistry(kv.key);
      if (key === undefined) this.#tombstone(kv);
      else if (this.#mirror.wanted(key)) this.#object(kv, key);
    }
  }

  /** The changes that lead from the mirror to the list, which is that of `revision`, in the order of their versions. */
  finish(revision: number): ObjectChange[] {
    const { keys } = this.#mirror;
    for (const object of this.#mirror.objects()) {
      const etcdKey = keys.registry(object.key);
      if (this.#listed.has(etcdKey)) continue;
      const known = this.#tombstones.get(etcdKey);
      // An older one is of an earlier object by this name.
      const isOfThis = known !== undefined && known.revision > object.revision;
      this.#changes.push(
        isOfThis ? deletionOf(object, known.revision, known.tombstone) : deletionOf(object, revision, UNSIGNED),
      );
    }
    return this.#changes.sort((a, b) => a.entry.revision - b.entry.revision || a.entry.index - b.entry.index);
  }

  #tombstone(kv: KeyValue): void {
    const deleted = this.#mirror.keys.parseTombstone(kv.key);
    if (deleted === undefined) return;
    const tombstone = decodeTombstone(kv.value);
    this.#tombstones.set(this.#mirror.keys.registry(deleted), { revision: kv.modRevision, tombstone });
  }

  #object(kv: KeyValue, key: ResourceKey): void {
    this.#listed.add(kv.key);
    const previous = this.#mirror.get(key) ?? null;
    if (previous?.revision === kv.modRevision) return;
    const entry = this.#mirror.decode(kv, previous?.key ?? key);
    if (entry === null) return;
    if (previous !== null && previous.createRevision !== entry.createRevision) {
      // Another object by the same name: the old one was deleted before this one was created.
      this.#changes.push(deletionOf(previous, entry.createRevision - 1, UNSIGNED));
      this.#changes.push({ type: 'added', entry, previous: null });
    } else {
      this.#changes.push({ type: previous === null ? 'added' : 'modified', entry, previous });
    }
  }
}
