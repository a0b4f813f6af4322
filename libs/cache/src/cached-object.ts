import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';
import { type RecordParts, StoredRecord } from '@periplus/store';
import type { Entry } from './types.ts';

/** What a cache hands out must not be written to. Tests find out who does; production does not pay for it. */
const FREEZE = process.env.NODE_ENV === 'test';

/** An object of the cache: a record that parses itself when first asked to. */
export class CachedObject extends StoredRecord implements Entry {
  /** `[<namespace>/]<name>`: its place in the order of its resource. */
  readonly path: string;
  #object: DeepReadonly<KubeObject> | null = null;

  constructor(parts: RecordParts, path: string) {
    super(parts);
    this.path = path;
  }

  get object(): DeepReadonly<KubeObject> {
    if (this.#object === null) {
      const object = this.parse() as unknown as DeepReadonly<KubeObject>;
      this.#object = FREEZE ? deepFreeze(object) : object;
    }
    return this.#object;
  }

  /** Gives the memory of the parsed object back. Of what has been replaced few ask again, and for long it is remembered. */
  forget(): void {
    this.#object = null;
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
