import type { ResourceKey } from '@periplus/apimachinery';
import type { KeyValue, RevisionBatch, WatchEvent } from '@periplus/etcd';
import { storeProto } from '@periplus/proto';
import { Keys } from '@periplus/store';

const { Provenance, Record, Tombstone } = storeProto.store.v1;

/** One change of an object: its new labels, or null to delete it. */
export interface LoggedWrite {
  key: ResourceKey;
  labels: { [name: string]: string } | null;
  owners?: readonly string[];
}

export const podKey = (namespace: string, name: string): ResourceKey => ({
  ...{ group: '', resource: 'pods', namespace, name },
});

/** For tests: what etcd holds and tells of a cluster, transaction by transaction. Writes what the store writes. */
export class EventLog {
  revision = 1;
  readonly keys = new Keys('/p');
  readonly #kvs = new Map<string, KeyValue>();

  /** Applies the writes as one transaction, in their order. */
  commit(...writes: LoggedWrite[]): RevisionBatch {
    this.revision++;
    const events = writes.flatMap((write, index) => this.#write(write, index));
    return { revision: this.revision, events: [this.put(this.keys.revision, Buffer.alloc(0)), ...events] };
  }

  /** Everything there is, in the order of the keys. */
  list(): KeyValue[] {
    return [...this.#kvs.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Removes a key as the end of its lease does. */
  expire(key: string): WatchEvent {
    this.#kvs.delete(key);
    const kv = { key, value: Buffer.alloc(0), createRevision: 0, modRevision: this.revision, version: 0, lease: '0' };
    return { type: 'delete', kv };
  }

  put(key: string, value: Buffer): WatchEvent {
    const before = this.#kvs.get(key);
    const kv = {
      ...{ key, value, modRevision: this.revision, lease: '0' },
      createRevision: before?.createRevision ?? this.revision,
      version: (before?.version ?? 0) + 1,
    };
    this.#kvs.set(key, kv);
    return { type: 'put', kv };
  }

  #write({ key, labels, owners }: LoggedWrite, index: number): WatchEvent[] {
    const etcdKey = this.keys.registry(key);
    const requestId = `${this.revision}.${index}`;
    const provenance = Provenance.encode({ actor: 'me', verb: 'v', timeMs: 1, requestId }).finish();
    if (labels === null) {
      const tombstone = Buffer.from(Tombstone.encode({ index, provenance }).finish());
      return [this.expire(etcdKey), this.put(this.keys.tombstone(key), tombstone)];
    }
    const created = this.#kvs.get(etcdKey)?.createRevision ?? this.revision;
    const ownerReferences = owners?.map((uid) => ({ uid, name: uid, kind: 'Owner', apiVersion: 'v1' }));
    const metadata = {
      name: key.name,
      namespace: key.namespace,
      uid: `${etcdKey}@${created}`,
      labels,
      ownerReferences,
    };
    const head = '{"kind":"Pod","apiVersion":"v1","metadata":{';
    const object = Buffer.from(`${head}${JSON.stringify(metadata).slice(1)},"spec":{}}`);
    const record = Record.encode({ object, versionAt: head.length, index, provenance }).finish();
    return [this.put(etcdKey, Buffer.from(record))];
  }
}
