import {
  type Compare,
  type EtcdClient,
  EtcdError,
  type KeyValue,
  type Operation,
  type OperationResult,
  type RangeRequest,
  type RangeResponse,
  type TxnRequest,
  type TxnResponse,
} from '@periplus/etcd';

/** What becomes of a transaction on its way: all that can happen to a request, and whether the caller can tell. */
export type Fate =
  | 'answered'
  /** Not applied, and the caller knows. */
  | 'refused'
  /** Never applied; the caller cannot know. */
  | 'requestLost'
  /** Applied; the caller cannot know. */
  | 'answerLost'
  /** Still somewhere: applied when `deliverLate` is called. The caller cannot know. */
  | 'late';

interface Version {
  revision: number;
  /** null: deleted. */
  kv: KeyValue | null;
}

type Client = Pick<EtcdClient, 'range' | 'put' | 'txn' | 'grant'>;

/** A model of etcd for tests: keys with their history, transactions, compaction, and faults that a test decides on. */
export class MemoryEtcd implements Client {
  revision = 1;
  compacted = 0;
  /** Asked for each transaction. */
  fate: (request: TxnRequest) => Fate = () => 'answered';
  /** Asked for each other call; throws to make it fail. */
  interrupt: (call: 'range' | 'put' | 'grant') => void = () => {};
  readonly transactions: TxnRequest[] = [];
  readonly #history = new Map<string, Version[]>();
  #late: TxnRequest[] = [];
  #leases = 0;

  async range(request: RangeRequest): Promise<RangeResponse> {
    await null;
    this.interrupt('range');
    return this.#range(request);
  }

  async put(key: string, value: Buffer): Promise<{ revision: number }> {
    await null;
    this.interrupt('put');
    this.#write(this.revision + 1, key, value);
    return { revision: ++this.revision };
  }

  async grant(): Promise<string> {
    await null;
    this.interrupt('grant');
    return String(++this.#leases);
  }

  async txn(request: TxnRequest): Promise<TxnResponse> {
    this.transactions.push(request);
    await null;
    const fate = this.fate(request);
    if (fate === 'refused') throw new EtcdError('Unavailable', 'refused', 'no leader');
    if (fate === 'late') this.#late.push(request);
    if (fate === 'late' || fate === 'requestLost') throw new EtcdError('DeadlineExceeded', 'unknown', 'no answer');
    const response = this.#apply(request);
    if (fate === 'answerLost') throw new EtcdError('Unavailable', 'unknown', 'connection lost');
    return response;
  }

  /** Requests that were thought lost arrive. */
  deliverLate(): void {
    for (const request of this.#late.splice(0)) this.#apply(request);
  }

  /** Every value that a key ever had, with its revision; null for deletions. */
  history(key: string): readonly Version[] {
    return this.#history.get(key) ?? [];
  }

  get keys(): string[] {
    return [...this.#history.keys()];
  }

  #apply(request: TxnRequest): TxnResponse {
    const revision = this.revision + 1;
    const chosen = this.#choose(request);
    const result = this.#run(chosen, revision);
    if (result.wrote) this.revision = revision;
    return { ...result.response, revision: this.revision };
  }

  /** All compares, nested ones too, look at the state before the transaction. */
  #choose(request: TxnRequest): Chosen {
    const succeeded = request.compare.every((compare) => this.#holds(compare));
    const operations = (succeeded ? request.success : request.failure).map((operation) =>
      operation.type === 'txn' ? this.#choose(operation) : operation,
    );
    return { type: 'chosen', succeeded, operations };
  }

  #run(chosen: Chosen, revision: number): { response: TxnResponse; wrote: boolean } {
    let wrote = false;
    const results: OperationResult[] = [];
    for (const operation of chosen.operations) {
      if (operation.type === 'chosen') {
        const nested = this.#run(operation, revision);
        wrote ||= nested.wrote;
        results.push({ type: 'txn', ...nested.response });
      } else if (operation.type === 'range') {
        results.push({ type: 'range', ...this.#range(operation) });
      } else if (operation.type === 'put') {
        wrote = true;
        this.#write(revision, operation.key, operation.value, operation.lease);
        results.push({ type: 'put' });
      } else {
        const stands = this.#at(operation.key) !== null;
        if (stands) this.#write(revision, operation.key, null);
        wrote ||= stands;
        results.push({ type: 'delete', deleted: stands ? 1 : 0, prevs: [] });
      }
    }
    return { response: { revision, succeeded: chosen.succeeded, results }, wrote };
  }

  #holds(compare: Compare): boolean {
    const kv = this.#at(compare.key);
    if (compare.target === 'lease' || compare.result !== 'equal') throw new Error('the model has no such compare');
    const value = { mod: kv?.modRevision, create: kv?.createRevision, version: kv?.version }[compare.target] ?? 0;
    return value === compare.value;
  }

  #range({ key, revision = this.revision, keysOnly }: RangeRequest): RangeResponse {
    if (revision < this.compacted) throw new EtcdError('Compacted', 'refused', 'compacted');
    const kv = this.#at(key, revision);
    const kvs = kv === null ? [] : [keysOnly ? { ...kv, value: Buffer.alloc(0) } : kv];
    return { revision: this.revision, kvs, more: false, count: kvs.length };
  }

  #at(key: string, revision = Number.POSITIVE_INFINITY): KeyValue | null {
    return this.history(key).findLast((version) => version.revision <= revision)?.kv ?? null;
  }

  #write(revision: number, key: string, value: Buffer | null, lease = '0'): void {
    const before = this.#at(key);
    const history = this.#history.get(key) ?? [];
    if (history.at(-1)?.revision === revision) throw new Error(`duplicate key ${key} given in txn request`);
    const createRevision = before?.createRevision ?? revision;
    const version = (before?.version ?? 0) + 1;
    const kv = value && { key, value: Buffer.from(value), createRevision, modRevision: revision, version, lease };
    this.#history.set(key, [...history, { revision, kv }]);
  }
}

interface Chosen {
  type: 'chosen';
  succeeded: boolean;
  operations: (Exclude<Operation, { type: 'txn' }> | Chosen)[];
}
