/** A thin etcd client: `types.ts` is the whole contract. */
export type {
  Compare,
  EtcdClient,
  EtcdError,
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
// openEtcd(options: EtcdOptions): EtcdClient
// prefixEnd(prefix: string): string
