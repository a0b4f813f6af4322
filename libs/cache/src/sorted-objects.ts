import type { CachedObject } from './cached-object.ts';

/** Small enough that an insertion moves little, large enough that there are few. */
const CHUNK_MAX = 512;

/**
 * Objects of one resource in the order of their paths, which is that of their keys in etcd. A list of sorted
 * chunks: insertion and removal take two binary searches and move a part of one chunk.
 */
export class SortedObjects {
  readonly #chunks: CachedObject[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(path: string): CachedObject | undefined {
    const chunk = this.#chunks[this.#chunkOf(path)];
    const object = chunk?.[placeOf(chunk, path)];
    return object?.path === path ? object : undefined;
  }

  /** Adds the object or replaces the one at its path. */
  set(object: CachedObject): void {
    const at = this.#chunkOf(object.path);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([object]);
      this.#size++;
      return;
    }
    const place = placeOf(chunk, object.path);
    if (chunk[place]?.path === object.path) {
      chunk[place] = object;
      return;
    }
    this.#size++;
    if (chunk.length < CHUNK_MAX) chunk.splice(place, 0, object);
    else this.#split(at, chunk, place, object);
  }

  delete(path: string): void {
    const at = this.#chunkOf(path);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    const place = placeOf(chunk, path);
    if (chunk[place]?.path !== path) return;
    this.#size--;
    chunk.splice(place, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** In order: all, or those of one namespace; behind the path `after`, at most `limit`. The array is the caller's. */
  list(namespace = '', after = '', limit = Number.POSITIVE_INFINITY): CachedObject[] {
    const { from, to } = boundsOf(namespace);
    // No path has a NUL, so this is the first place behind `after`.
    const start = after === '' || after < from ? from : `${after}\0`;
    const found: CachedObject[] = [];
    for (const { chunk, first, end } of this.#stretches(start, to)) {
      const last = Math.min(end, first + limit - found.length);
      for (let place = first; place < last; place++) found.push(chunk[place]!);
      if (found.length >= limit) break;
    }
    return found;
  }

  countIn(namespace = ''): number {
    if (namespace === '') return this.#size;
    const { from, to } = boundsOf(namespace);
    let count = 0;
    for (const { first, end } of this.#stretches(from, to)) count += end - first;
    return count;
  }

  /** The parts of chunks with `from` <= path < `to`. */
  *#stretches(from: string, to: string): Iterable<{ chunk: readonly CachedObject[]; first: number; end: number }> {
    for (let at = this.#chunkOf(from); at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at]!;
      const end = chunk.at(-1)!.path < to ? chunk.length : placeOf(chunk, to);
      yield { chunk, first: chunk[0]!.path >= from ? 0 : placeOf(chunk, from), end };
      if (end < chunk.length) return;
    }
  }

  *[Symbol.iterator](): Iterator<CachedObject> {
    for (const chunk of this.#chunks) yield* chunk;
  }

  /** A full chunk makes room. One that grows at its end, as a listing makes it, stays full instead of half empty. */
  #split(at: number, chunk: CachedObject[], place: number, object: CachedObject): void {
    const cut = place === CHUNK_MAX ? CHUNK_MAX : CHUNK_MAX / 2;
    const right = chunk.splice(cut);
    this.#chunks.splice(at + 1, 0, right);
    if (place >= cut) right.splice(place - cut, 0, object);
    else chunk.splice(place, 0, object);
  }

  /** The chunk that holds `path` or would: the last one that does not start behind it. */
  #chunkOf(path: string): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#chunks[middle]![0]!.path <= path) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** The place of the first object that does not come before `path`. */
function placeOf(chunk: readonly CachedObject[], path: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (chunk[middle]!.path < path) low = middle + 1;
    else high = middle;
  }
  return low;
}

const boundsOf = (namespace: string): { from: string; to: string } =>
  namespace === '' ? { from: '', to: '\uffff' } : { from: `${namespace}/`, to: `${namespace}0` };
