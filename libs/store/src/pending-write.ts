import { versionOfWrite } from '@periplus/apimachinery';
import type { Compare, KeyValue, Operation, OperationResult, TxnRequest } from '@periplus/etcd';
import type { Cipher } from './cipher.ts';
import type { Keys } from './keys.ts';
import { OutgoingRecord } from './outgoing-record.ts';
import type { Pending } from './pending.ts';
import { encodeProvenance, encodeTombstone } from './record.ts';
import type { Committed, Companion, Write } from './types.ts';
import { WriteConflict } from './write-conflict.ts';

/** What a key and an operation take in a request besides the key's and the value's own bytes, generously. */
const OVERHEAD_BYTES = 64;

type Guarded = Companion & { ifAbsent: true };
const isGuarded = (companion: Companion): companion is Guarded => 'ifAbsent' in companion;

export interface PendingOptions {
  keys: Keys;
  cipher: Cipher | null;
  /** When the write came, on the store's clock. */
  sinceMs: number;
  resolve(committed: Committed): void;
  reject(error: Error): void;
}

/** A write on its way: encoded once, sent as a nested transaction until its outcome is known. */
export class PendingWrite implements Pending {
  readonly write: Write;
  readonly writes = 1;
  readonly sinceMs: number;
  readonly touches: readonly string[];
  readonly bytes: number;
  readonly operations: number;
  readonly resolve: (committed: Committed) => void;
  readonly reject: (error: Error) => void;
  readonly #key: string;
  readonly #tombstone: string;
  readonly #companions: readonly { key: string; companion: Companion }[];
  readonly #record: OutgoingRecord | null;
  readonly #provenance: Uint8Array;

  constructor(write: Write, { keys, cipher, sinceMs, resolve, reject }: PendingOptions) {
    if (write.object === null) checkDeletion(write);
    this.write = write;
    this.sinceMs = sinceMs;
    this.resolve = resolve;
    this.reject = reject;
    this.#key = keys.registry(write.key);
    this.#tombstone = keys.tombstone(write.key);
    this.#companions = write.companions.map((companion) => ({ key: keys.at(companion.path), companion }));
    const provenance = encodeProvenance(write.provenance);
    this.#provenance = provenance;
    this.#record =
      write.object && new OutgoingRecord(write.object, write.confidential, { provenance, cipher, context: this.#key });
    this.touches = [this.#key, ...this.#companions.map(({ key }) => key)];
    this.bytes = this.#estimateBytes();
    this.operations = (this.deletes ? 2 : 1) + this.#companions.length; // a deletion puts its tombstone
  }

  get deletes(): boolean {
    return this.#record === null;
  }

  get witness(): Write {
    return this.write;
  }

  /** How many compares it needs. */
  get compares(): number {
    return 1 + this.#companions.filter(({ companion }) => isGuarded(companion)).length;
  }

  toTransaction(index: number, lease: string): Operation {
    const compare: Compare[] = [];
    const success: Operation[] = [];
    this.addTo(compare, success, index, lease);
    return { type: 'txn', compare, success, failure: this.#questions() };
  }

  /** Adds what it takes to do it, as number `index` of its batch. Tombstones hang on `lease`. */
  addTo(compare: Compare[], success: Operation[], index: number, lease: string): void {
    compare.push({ key: this.#key, target: 'mod', result: 'equal', value: this.write.ifRevision });
    const record = this.#record;
    if (record === null) {
      const tombstone = encodeTombstone(index, this.#provenance);
      success.push({ type: 'delete', key: this.#key });
      success.push({ type: 'put', key: this.#tombstone, value: tombstone, lease });
    } else {
      record.index = index;
      success.push({ type: 'put', key: this.#key, value: record.value });
    }
    for (const { key, companion } of this.#companions) {
      if ('delete' in companion) success.push({ type: 'delete', key });
      else success.push({ type: 'put', key, value: companion.put === 'record' ? record!.value : companion.put });
      if (isGuarded(companion)) compare.push({ key, target: 'create', result: 'equal', value: 0 });
    }
  }

  /** Asked when the compares fail and only where more than the object itself can be the reason. */
  #questions(): TxnRequest['failure'] {
    const guarded = this.#companions.filter(({ companion }) => isGuarded(companion));
    if (guarded.length === 0) return [];
    return [this.#key, ...guarded.map(({ key }) => key)].map((key) => ({ type: 'range', key, keysOnly: true }));
  }

  settle(result: OperationResult, revision: number, index: number): void {
    if (result.type !== 'txn') throw new Error(`etcd answered a transaction with a ${result.type}`);
    if (result.succeeded) {
      this.acknowledge(revision, index);
      return;
    }
    const answers = result.results.values();
    const conflict = this.conflictIn(() => {
      const answer = answers.next().value;
      return answer?.type === 'range' ? answer.kvs[0] : undefined;
    });
    this.reject(new WriteConflict(revision, conflict?.companion ?? null));
  }

  acknowledge(revision: number, index: number): void {
    const resourceVersion = versionOfWrite(revision, index);
    const record = this.#record;
    this.resolve({ revision, index, resourceVersion, bytes: () => record?.versioned(resourceVersion) ?? null });
  }

  /** What stood in its way, if anything, when `next` tells what is at each of its compares' keys in turn. */
  conflictIn(next: () => KeyValue | undefined): { companion: string | null } | undefined {
    const isObject = (next()?.modRevision ?? 0) !== this.write.ifRevision;
    const [taken] = this.write.companions.filter(isGuarded).filter(() => next() !== undefined);
    if (isObject) return { companion: null };
    return taken && { companion: taken.path };
  }

  #estimateBytes(): number {
    const record = this.#record?.value.length ?? this.#provenance.length;
    let bytes = 3 * (this.#key.length + OVERHEAD_BYTES) + record;
    for (const { key, companion } of this.#companions) {
      bytes += 3 * (key.length + OVERHEAD_BYTES);
      if ('put' in companion) bytes += companion.put === 'record' ? record : companion.put.length;
    }
    return bytes;
  }
}

function checkDeletion({ ifRevision, companions }: Write): void {
  if (ifRevision === 0) throw new Error('a deletion needs the revision that it deletes');
  if (companions.some((companion) => 'put' in companion && companion.put === 'record')) {
    throw new Error('a deletion has no record to put beside it');
  }
}
