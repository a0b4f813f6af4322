import type { Kind } from '@periplus/api';
import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';
import type { Change, Entry } from '@periplus/cache';
import { itemOf } from '../reading/items.ts';
import type { Selection } from '../reading/selection.ts';
import type { Item, WatchEvent } from '../types.ts';

type EventType = WatchEvent['type'];

/** What a change is to somebody who sees only a selection: an object may come into it and leave it. */
export function transition(selection: Selection, kind: Kind, change: Change): EventType | 'LEFT' | undefined {
  const { type, entry, previous } = change;
  if (selection.all) return type === 'added' ? 'ADDED' : type === 'modified' ? 'MODIFIED' : 'DELETED';
  const matches = (one: Entry): boolean => selection.matches(itemOf(one, kind).object);
  const before = previous !== null && matches(previous);
  if (type === 'deleted') return before ? 'DELETED' : undefined;
  if (matches(entry)) return before ? 'MODIFIED' : 'ADDED';
  return before ? 'LEFT' : undefined;
}

const METADATA = '"metadata":{"resourceVersion":"';

/** JSON of an object with another resourceVersion, which stands where records have it: first in the metadata. */
function withVersion(bytes: Buffer, resourceVersion: string): Buffer {
  const from = bytes.indexOf(METADATA) + METADATA.length;
  const to = bytes.indexOf('"', from);
  return Buffer.concat([bytes.subarray(0, from), Buffer.from(resourceVersion), bytes.subarray(to)]);
}

/** The last state that was in the selection, at the version at which it left. */
class DepartedItem implements Item {
  readonly resourceVersion: string;
  private readonly previous: Item;

  constructor(previous: Item, resourceVersion: string) {
    this.previous = previous;
    this.resourceVersion = resourceVersion;
  }

  get object(): DeepReadonly<KubeObject> {
    const { object } = this.previous;
    return { ...object, metadata: { ...object.metadata, resourceVersion: this.resourceVersion } };
  }

  get bytes(): Buffer {
    return withVersion(this.previous.bytes, this.resourceVersion);
  }
}

/** An event as encoders get it. Members of the item are asked for when needed. */
class ItemEvent implements WatchEvent {
  readonly type: EventType;
  private readonly item: Item;

  constructor(type: EventType, item: Item) {
    this.type = type;
    this.item = item;
  }

  get bytes(): Buffer {
    return this.item.bytes;
  }

  get object(): DeepReadonly<KubeObject> {
    return this.item.object;
  }

  get resourceVersion(): string {
    return this.item.resourceVersion;
  }
}

export const addedEvent = (entry: Entry, kind: Kind): WatchEvent => new ItemEvent('ADDED', itemOf(entry, kind));

export function eventOf(type: EventType | 'LEFT', kind: Kind, { entry, previous }: Change): WatchEvent {
  if (type !== 'LEFT') return new ItemEvent(type, itemOf(entry, kind));
  return new ItemEvent('DELETED', new DepartedItem(itemOf(previous!, kind), entry.resourceVersion));
}

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#watch-bookmarks */
export function bookmark(kind: Kind, resourceVersion: string, endsInitialEvents: boolean): WatchEvent {
  const object: KubeObject = {
    kind: kind.kind,
    apiVersion: kind.group ? `${kind.group}/${kind.version}` : kind.version,
    metadata: {
      resourceVersion,
      ...(endsInitialEvents && { annotations: { 'k8s.io/initial-events-end': 'true' } }),
    },
  };
  return { type: 'BOOKMARK', object, resourceVersion, bytes: Buffer.from(JSON.stringify(object)) };
}
