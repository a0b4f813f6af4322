import type { CachedObject } from './cached-object.ts';
import type { Index } from './types.ts';

const QUOTE = 0x22;

/** The texts between each `prefix`, which ends with a quote, and the next quote: names and the like, in which none is. */
export function textsBehind(json: Buffer, prefix: string): string[] {
  const texts: string[] = [];
  for (let at = json.indexOf(prefix); at !== -1; at = json.indexOf(prefix, at)) {
    const start = at + prefix.length;
    at = json.indexOf(QUOTE, start);
    texts.push(json.toString('utf8', start, at));
  }
  return texts;
}

interface Lookup {
  keysOf(object: CachedObject): readonly string[];
  /** Its keys and perhaps others: what does not belong is left out when somebody looks. */
  candidatesOf?: ((object: CachedObject) => readonly string[]) | undefined;
}

/** Values to objects, for one declared lookup. */
export class ObjectIndex {
  readonly #lookup: Lookup;
  readonly #objects = new Map<string, Set<CachedObject>>();

  constructor(lookup: Lookup) {
    this.#lookup = lookup;
  }

  static declared({ keys, candidates }: Index): ObjectIndex {
    return new ObjectIndex({ keysOf: ({ object }) => keys(object), candidatesOf: candidates });
  }

  /** By the uid of each owner. */
  static owners(): ObjectIndex {
    return new ObjectIndex({ keysOf: ({ owners }) => owners.map(({ uid }) => uid) });
  }

  /** In the order in which they came. */
  get(value: string): Iterable<CachedObject> {
    const objects = this.#objects.get(value);
    if (objects === undefined) return [];
    const { keysOf, candidatesOf } = this.#lookup;
    return candidatesOf === undefined ? objects : [...objects].filter((object) => keysOf(object).includes(value));
  }

  replace(before: CachedObject | null, now: CachedObject | null): void {
    const { keysOf, candidatesOf = keysOf } = this.#lookup;
    if (before !== null) for (const key of candidatesOf(before)) this.#remove(key, before);
    if (now !== null) for (const key of candidatesOf(now)) this.#add(key, now);
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
