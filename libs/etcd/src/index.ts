/**
 * A thin etcd client: `types.ts` is the contract. `client.ts` puts it together from `connection.ts` (endpoints), `calls.ts` (deadlines,
 * retries), `watch-stream.ts` with `revision-assembler.ts` (lossless watches) and `lease-keeper.ts`.
 */
export { openEtcd } from './client.ts';
export { EtcdError, type EtcdErrorReason, type EtcdOutcome } from './error.ts';
export { prefixEnd } from './key-range.ts';
export type {
  Compare,
  EtcdClient,
  EtcdOptions,
  KeyValue,
  LeaseHandle,
  Operation,
  OperationResult,
  RangeRequest,
  RangeResponse,
  RevisionBatch,
  TxnRequest,
  TxnResponse,
  WatchEvent,
  WatchHandle,
  WatchOptions,
} from './types.ts';
