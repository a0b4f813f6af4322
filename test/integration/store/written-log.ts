import { versionOfWrite } from '@periplus/apimachinery';
import type { EtcdClient, RevisionBatch } from '@periplus/etcd';
import { decodeProvenance, decodeRecord, decodeTombstone, type Keys, type StoredRecord } from '@periplus/store';

export interface LoggedWrite {
  etcdKey: string;
  revision: number;
  index: number;
  requestId: string;
  deleted: boolean;
}

/** Reads the log with a watch of its own: every write in the order in which etcd tells of it. */
export class WrittenLog {
  readonly writes: LoggedWrite[] = [];
  reached = 0;
  readonly #keys: Keys;

  constructor(etcd: EtcdClient, keys: Keys, startRevision: number) {
    this.#keys = keys;
    etcd.watch({
      ...keys.log,
      startRevision,
      onRevision: (batch) => this.#take(batch),
      onCompacted: (revision) => {
        throw new Error(`compacted at ${revision}`);
      },
      onFailed: (error) => {
        throw error;
      },
    });
  }

  /** By request id; throws when one was written twice. */
  byRequest(): Map<string, LoggedWrite> {
    const found = new Map<string, LoggedWrite>();
    for (const write of this.writes) {
      const other = found.get(write.requestId);
      if (other) throw new Error(`${write.requestId} was written at ${versionOf(other)} and at ${versionOf(write)}`);
      found.set(write.requestId, write);
    }
    return found;
  }

  #take({ revision, events }: RevisionBatch): void {
    const stones = new Map<string, Buffer>();
    for (const { type, kv } of events) {
      const key = type === 'put' ? this.#keys.parseTombstone(kv.key) : undefined;
      if (key !== undefined) stones.set(this.#keys.registry(key), kv.value);
    }
    for (const { type, kv } of events) {
      if (this.#keys.parseRegistry(kv.key) === undefined) continue;
      const stone = type === 'delete' ? stones.get(kv.key) : undefined;
      if (type === 'delete' && stone === undefined) throw new Error(`${kv.key} was deleted without a tombstone`);
      const { index, requestId } = stone === undefined ? ofRecord(decodeRecord(kv, this.#keys, null)) : ofStone(stone);
      this.writes.push({ etcdKey: kv.key, revision, index, requestId, deleted: type === 'delete' });
    }
    this.reached = revision;
  }
}

export const versionOf = ({ revision, index }: LoggedWrite): string => versionOfWrite(revision, index);

const ofRecord = ({ index, provenance: { requestId } }: StoredRecord): { index: number; requestId: string } => ({
  index,
  requestId,
});

function ofStone(value: Buffer): { index: number; requestId: string } {
  const { index, provenance } = decodeTombstone(value);
  return { index, requestId: decodeProvenance(provenance).requestId };
}
