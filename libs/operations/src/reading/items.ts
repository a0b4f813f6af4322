import type { Kind } from '@periplus/api';
import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';
import type { Entry } from '@periplus/cache';
import type { Item } from '../types.ts';

/** An object that is stored in the form of another kind; made when somebody looks at it, and then kept. */
class ConvertedItem implements Item {
  private readonly entry: Entry;
  private readonly kind: Kind;
  private ownObject: DeepReadonly<KubeObject> | undefined;
  private ownBytes: Buffer | undefined;

  constructor(entry: Entry, kind: Kind) {
    this.entry = entry;
    this.kind = kind;
  }

  get resourceVersion(): string {
    return this.entry.resourceVersion;
  }

  get object(): DeepReadonly<KubeObject> {
    this.ownObject ??= this.kind.storedAs!.fromStorage(this.entry.object as KubeObject);
    return this.ownObject;
  }

  get bytes(): Buffer {
    this.ownBytes ??= Buffer.from(JSON.stringify(this.object));
    return this.ownBytes;
  }
}

const converted = new WeakMap<Kind, WeakMap<Entry, Item>>();

/** An entry in the form of `kind`: itself, unless it is stored as another kind. */
export function itemOf(entry: Entry, kind: Kind): Item {
  if (!kind.storedAs) return entry;
  let items = converted.get(kind);
  if (!items) {
    items = new WeakMap();
    converted.set(kind, items);
  }
  let item = items.get(entry);
  if (!item) {
    item = new ConvertedItem(entry, kind);
    items.set(entry, item);
  }
  return item;
}
