/** Whoever has been parsed. */
export interface Parsed {
  /** Gives the memory of the parsed object back; it is parsed again when somebody asks. */
  forget(): void;
}

/**
 * As many objects of a cache stay parsed, the newest. A parsed object takes several times its JSON, and the garbage
 * collector walks through it again and again; to parse a pod takes some ten microseconds.
 */
const PARSED_MAX = 8_192;

/** Remembers which objects of a cache are parsed, so that they do not become too many. */
export class ParsedObjects {
  readonly #slots: (Parsed | undefined)[] = [];
  #next = 0;

  /** Whoever holds this place longest is forgotten. Returns the place. */
  add(parsed: Parsed): number {
    const slot = this.#next;
    this.#slots[slot]?.forget();
    this.#slots[slot] = parsed;
    this.#next = (slot + 1) % PARSED_MAX;
    return slot;
  }

  remove(slot: number): void {
    this.#slots[slot] = undefined;
  }
}
