import type { Operation, OperationResult } from '@periplus/etcd';
import type { Batchable } from './batcher.ts';
import type { Write } from './types.ts';

/** What goes to etcd as one nested transaction, and happens or does not: a write, or several together. */
export interface Pending extends Batchable {
  /** Whether it leaves tombstones, which hang on a lease. */
  readonly deletes: boolean;
  /** The write to look for in the log: when it is there, all are. */
  readonly witness: Write;
  /** The nested transaction; its writes take the places of the batch from `index` on. */
  toTransaction(index: number, lease: string): Operation;
  /** Reads the answer of the nested transaction, and tells the caller. */
  settle(result: OperationResult, revision: number, index: number): void;
  /** It has happened, with its first write at `index` of `revision`. */
  acknowledge(revision: number, index: number): void;
  reject(error: Error): void;
}
