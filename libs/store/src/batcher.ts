/** Of a batch: etcd accepts requests of 1.5 MiB by default. A write that is larger alone goes alone. */
const BATCH_BYTES_MAX = 1 << 20;
/** Of a batch. A transaction of more goes alone. */
const BATCH_WRITES_MAX = 128;
/**
 * Of a batch, etcd's default for `--max-txn-ops`. It counts the operations of a transaction and of its largest nested one
 * together. A transaction of more goes alone, to an etcd that is started to take it.
 */
const TRANSACTION_OPERATIONS_MAX = 128;
/** Operations of a batch besides its writes: the put of the revision key. */
const OWN_OPERATIONS = 1;
/** How far a batch looks past writes that it has to leave because their key is taken. */
const SCAN_MAX = 4 * BATCH_WRITES_MAX;

const QUEUE_WRITES_MAX = 10_000;
const QUEUE_BYTES_MAX = 64 << 20;

/** What the batcher has to know of a write. */
export interface Batchable {
  /** Every etcd key that it writes: etcd refuses a transaction that puts a key twice. */
  readonly touches: readonly string[];
  /** Estimated size in the request. */
  readonly bytes: number;
  /** The larger of the numbers of its compares and of its operations. */
  readonly operations: number;
  /** How many places of the batch it takes: one for each object that it writes. */
  readonly writes: number;
  /** When it came, on the store's clock. */
  readonly sinceMs: number;
}

/** The queue in front of etcd, in order of arrival. Pure: no clock, no I/O. */
export class Batcher<W extends Batchable> {
  #waiting: W[] = [];
  #bytes = 0;

  get size(): number {
    return this.#waiting.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** False, and nothing happens, when the queue is full. */
  add(write: W): boolean {
    if (this.#waiting.length >= QUEUE_WRITES_MAX || this.#bytes + write.bytes > QUEUE_BYTES_MAX) return false;
    this.#waiting.push(write);
    this.#bytes += write.bytes;
    return true;
  }

  /**
   * The writes of the next transaction, at most `writesMax` (unless the first is more) and at most one per etcd key;
   * empty when none wait.
   */
  take(writesMax: number): W[] {
    const lengthMax = Math.min(writesMax, BATCH_WRITES_MAX);
    const batch: W[] = [];
    const passed: W[] = [];
    const taken = new Set<string>();
    let bytes = 0;
    let operations = 0;
    let writes = 0;
    let scanned = 0;
    for (; scanned < Math.min(this.#waiting.length, SCAN_MAX); scanned++) {
      const write = this.#waiting[scanned]!;
      const operationsThen = Math.max(operations, write.operations);
      const full =
        writes + write.writes > lengthMax ||
        bytes + write.bytes > BATCH_BYTES_MAX ||
        batch.length + 1 + OWN_OPERATIONS + operationsThen > TRANSACTION_OPERATIONS_MAX;
      if (full && batch.length > 0) break;
      if (write.touches.some((key) => taken.has(key))) {
        // Writes of one key keep their order: what comes later must not touch the keys of what was passed over.
        passed.push(write);
      } else {
        batch.push(write);
        bytes += write.bytes;
        writes += write.writes;
        operations = operationsThen;
      }
      for (const key of write.touches) taken.add(key);
    }
    this.#waiting.splice(0, scanned, ...passed);
    this.#bytes -= bytes;
    return batch;
  }

  /** Writes that were taken and not sent, or certainly not applied, go first next time. Not limited: they were before. */
  putBack(writes: readonly W[]): void {
    this.#waiting.unshift(...writes);
    for (const write of writes) this.#bytes += write.bytes;
  }

  /** Takes out those that came before `momentMs`. */
  takeOlder(momentMs: number): W[] {
    const older = this.#waiting.filter((write) => write.sinceMs < momentMs);
    if (older.length === 0) return older;
    this.#waiting = this.#waiting.filter((write) => write.sinceMs >= momentMs);
    for (const write of older) this.#bytes -= write.bytes;
    return older;
  }
}
