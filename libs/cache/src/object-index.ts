import type { CachedObject } from './cached-object.ts';
import type { Index } from './types.ts';

/** Values to objects, for one declared lookup. */
export class ObjectIndex {
  readonly #keysOf: (object: CachedObject) => readonly string[];
  readonly #objects = new Map<string, Set<CachedObject>>();

  constructor(keysOf: (object: CachedObject) => readonly string[]) {
    this.#keysOf = keysOf;
  }

  static declared({ keys, mention }: Index): ObjectIndex {
    if (mention === undefined) return new ObjectIndex(({ object }) => keys(object));
    return new ObjectIndex((entry) => (entry.bytes.includes(mention) ? keys(entry.object) : []));
  }

  /** By the uid of each owner. */
  static owners(): ObjectIndex {
    return new ObjectIndex((entry) => {
      // Parsing is what costs; most objects without an owner show it without that.
      if (!entry.bytes.includes('"ownerReferences"')) return [];
      return (entry.object.metadata.ownerReferences ?? []).map(({ uid }) => uid);
    });
  }

  get(value: string): Iterable<CachedObject> {
    return this.#objects.get(value) ?? [];
  }

  replace(before: CachedObject | null, now: CachedObject | null): void {
    if (before !== null) for (const key of this.#keysOf(before)) this.#remove(key, before);
    if (now !== null) for (const key of this.#keysOf(now)) this.#add(key, now);
  }

  #add(key: string, object: CachedObject): void {
    const objects = this.#objects.get(key);
    if (objects === undefined) this.#objects.set(key, new Set([object]));
    else objects.add(object);
  }

  #remove(key: string, object: CachedObject): void {
    const objects = this.#objects.get(key);
    objects?.delete(object);
    if (objects?.size === 0) this.#objects.delete(key);
  }
}
