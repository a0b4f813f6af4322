import type { DeepReadonly, KubeObject, OwnerReference } from '@periplus/apimachinery';
import { type RecordParts, StoredRecord } from '@periplus/store';
import { AskedTexts } from './asked-texts.ts';
import type { Parsed, ParsedObjects } from './parsed-objects.ts';
import { sharedOwners } from './shared-owners.ts';
import type { Entry } from './types.ts';

/** What a cache hands out must not be written to. Tests find out who does; production does not pay for it. */
const FREEZE = process.env.NODE_ENV === 'test';

/** What is asked of one cache's objects is asked of another's. */
const askedTexts = new AskedTexts();

/** An object of the cache: a record that parses itself when first asked to. */
export class CachedObject extends StoredRecord implements Entry, Parsed {
  /** `[<namespace>/]<name>`: its place in the order of its resource. */
  readonly path: string;
  /** Of all objects of the cache. */
  readonly parsed: ParsedObjects;
  #object: DeepReadonly<KubeObject> | null = null;
  #owners: readonly DeepReadonly<OwnerReference>[] | null = null;
  #slot = 0;
  /** Which texts stand in it, of the first so many that were asked about. */
  #texts = 0;
  #textsRead = 0;

  constructor(parts: RecordParts, path: string, parsed: ParsedObjects) {
    super(parts);
    this.path = path;
    this.parsed = parsed;
  }

  get object(): DeepReadonly<KubeObject> {
    if (this.#object === null) {
      const object = this.parse() as unknown as DeepReadonly<KubeObject>;
      this.#object = FREEZE ? deepFreeze(object) : object;
      this.#slot = this.parsed.add(this);
    }
    return this.#object;
  }

  get owners(): readonly DeepReadonly<OwnerReference>[] {
    this.#owners ??= sharedOwners(this.ownerReferencesText);
    return this.#owners;
  }

  mentions(text: string): boolean {
    const bit = askedTexts.bit(text);
    if (this.#textsRead < askedTexts.count) {
      this.#texts = askedTexts.in(this.bytes);
      this.#textsRead = askedTexts.count;
    }
    return (this.#texts & bit) !== 0;
  }

  forget(): void {
    if (this.#object === null) return;
    this.#object = null;
    this.parsed.remove(this.#slot);
  }
}

/** A `Change` between objects of this cache. */
export interface ObjectChange {
  type: 'added' | 'modified' | 'deleted';
  entry: CachedObject;
  previous: CachedObject | null;
}

export const pathOf = (namespace: string, name: string): string => (namespace === '' ? name : `${namespace}/${name}`);

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}
