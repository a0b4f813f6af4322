/**
 * A thin etcd client: `types.ts` is the contract. `client.ts` puts it together from `connection.ts` (endpoints), `calls.ts` (deadlines,
 * retries), `watch-stream.ts` with `revision-assembler.ts` (lossless watches) and `kept-lease.ts`.
 */
export { type EtcdAdmin, type EtcdPermission, openEtcdAdmin } from './admin.ts';
export { openEtcd } from './client.ts';
export { EtcdError, type EtcdErrorReason, type EtcdOutcome } from './error.ts';
export { prefixEnd } from './key-range.ts';
export {
  ETCD_PROBE_USER,
  type EtcdBypass,
  etcdProbePermissions,
  probeEtcdRoles,
  type RoleProbe,
} from './role-probe.ts';
export { serverVersion } from './server-version.ts';
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
