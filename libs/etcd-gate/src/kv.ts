import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { EtcdClient } from '@periplus/etcd';
import type { etcdserverpb as v3 } from '@periplus/proto';
import type { GateAccess } from './access.ts';
import { type Callers, GateRefusal, refuse } from './callers.ts';
import type { LeaseOwners } from './lease-owners.ts';
import { PERMISSION_DENIED } from './status.ts';
import { toKeyValue } from './wire.ts';

/** A liveness value says how long its lease is; there is no reason for more. */
const LIVENESS_BYTES_MAX = 1_024;

interface KvDeps {
  etcd: EtcdClient;
  access: GateAccess;
  callers: Callers;
  owners: LeaseOwners;
}

/** Range for what may be seen, Put for liveness; transactions and deletions are nobody's. */
export function kvHandlers({ etcd, access, callers, owners }: KvDeps): UntypedServiceImplementation {
  const range = callers.unary(async (identity, request: v3.RangeRequest): Promise<v3.RangeResponse.$Shape> => {
    const { key, rangeEnd, limit, revision, serializable, keysOnly, countOnly } = request;
    if (!access.mayRead(identity, key, rangeEnd)) throw new GateRefusal(PERMISSION_DENIED);
    const found = await etcd.range({
      key,
      rangeEnd: rangeEnd === '' ? undefined : rangeEnd,
      ...{ limit, revision, serializable, keysOnly, countOnly },
    });
    return {
      header: { revision: found.revision },
      kvs: found.kvs.map(toKeyValue),
      more: found.more,
      count: found.count,
    };
  });

  const put = callers.unary(async (identity, request: v3.PutRequest): Promise<v3.PutResponse.$Shape> => {
    const { key, value, lease, prevKv, ignoreValue, ignoreLease } = request;
    const plain = !prevKv && !ignoreValue && !ignoreLease && value.length <= LIVENESS_BYTES_MAX;
    const allowed =
      plain && lease !== 0 && access.mayHold(identity, key) && (await owners.owns(identity, String(lease)));
    if (!allowed) throw new GateRefusal(PERMISSION_DENIED);
    const { revision } = await etcd.put(key, value as Buffer, String(lease));
    return { header: { revision } };
  });

  const nobodys = callers.unary(refuse);
  return { range, put, deleteRange: nobodys, txn: nobodys, compact: nobodys };
}
