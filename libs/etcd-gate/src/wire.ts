import type { KeyValue, RevisionBatch } from '@periplus/etcd';
import { type mvccpb, etcdserverpb as v3 } from '@periplus/proto';

/** A batch as it goes out: the events of a WatchResponse, encoded once for all who watch the same range. */
export interface EncodedBatch {
  revision: number;
  events: Buffer;
}

export const toKeyValue = (kv: KeyValue): mvccpb.KeyValue.$Shape => ({ ...kv, lease: Number(kv.lease) });

export function encodeBatch({ revision, events }: RevisionBatch): EncodedBatch {
  const encoded = v3.WatchResponse.encode({
    events: events.map(({ type, kv }) => ({ type: type === 'delete' ? 1 : 0, kv: toKeyValue(kv) })),
  });
  return { revision, events: encoded.finish() as Buffer };
}

/** A whole WatchResponse: encoded messages that follow each other are one message. */
export function encodeResponse(head: v3.WatchResponse.$Shape, events?: Buffer): Buffer {
  const start = v3.WatchResponse.encode(head).finish() as Buffer;
  return events === undefined ? start : Buffer.concat([start, events]);
}
