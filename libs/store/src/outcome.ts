import type { ResourceKey } from '@periplus/apimachinery';
import type { EtcdClient } from '@periplus/etcd';
import type { Keys } from './keys.ts';
import { decodeProvenance, decodeRecord, decodeTombstone } from './record.ts';

/** A write whose outcome is looked for, and the revisions between which it must have happened if at all. */
export interface OutcomeQuery {
  key: ResourceKey;
  requestId: string;
  /** It has not happened up to here. */
  after: number;
  /** It cannot happen behind this one; 0 for the newest. */
  upTo: number;
}

export interface Outcome {
  revision: number;
  index: number;
}

/**
 * Looks for a write in the log of its object: the state at `upTo`, the one before it, and so on, each of which names
 * the request that made it. undefined: it is not there. Rejects with EtcdError, `Compacted` when the log no longer
 * reaches back far enough.
 */
export async function findOutcome(
  etcd: Pick<EtcdClient, 'range'>,
  keys: Keys,
  { key, requestId, after, upTo }: OutcomeQuery,
): Promise<Outcome | undefined> {
  for (let at = upTo; ; ) {
    const change = await lastChange(etcd, keys, key, at);
    if (change === undefined || change.revision <= after) return undefined;
    if (change.requestId === requestId) return { revision: change.revision, index: change.index };
    at = change.revision - 1;
    if (at <= after) return undefined;
  }
}

interface Change extends Outcome {
  requestId: string;
}

/** The change that made the object what it was at revision `at`: a record, or the tombstone of a deletion. */
async function lastChange(
  etcd: Pick<EtcdClient, 'range'>,
  keys: Keys,
  key: ResourceKey,
  at: number,
): Promise<Change | undefined> {
  const present = await etcd.range({ key: keys.registry(key), revision: at || undefined });
  const [record] = present.kvs;
  if (record !== undefined) {
    const { index, provenance } = decodeRecord(record, keys, null);
    return { revision: record.modRevision, index, requestId: provenance.requestId };
  }
  const [tombstone] = (await etcd.range({ key: keys.tombstone(key), revision: at || present.revision })).kvs;
  if (tombstone === undefined) return undefined;
  const { index, provenance } = decodeTombstone(tombstone.value);
  return { revision: tombstone.modRevision, index, requestId: decodeProvenance(provenance).requestId };
}
