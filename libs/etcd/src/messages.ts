import { type mvccpb, etcdserverpb as v3 } from '@periplus/proto';
import { EtcdError } from './error.ts';
import type {
  Compare,
  KeyValue,
  Operation,
  OperationResult,
  RangeResponse,
  TxnRequest,
  TxnResponse,
  WatchEvent,
} from './types.ts';

const RESULTS = {
  equal: v3.Compare.CompareResult.EQUAL,
  greater: v3.Compare.CompareResult.GREATER,
  less: v3.Compare.CompareResult.LESS,
  notEqual: v3.Compare.CompareResult.NOT_EQUAL,
} as const;

const DELETE = 1;

function toCompare(compare: Compare): v3.Compare.$Shape {
  const { key } = compare;
  const result = RESULTS[compare.result];
  switch (compare.target) {
    case 'mod':
      return { key, result, target: v3.Compare.CompareTarget.MOD, modRevision: compare.value };
    case 'create':
      return { key, result, target: v3.Compare.CompareTarget.CREATE, createRevision: compare.value };
    case 'version':
      return { key, result, target: v3.Compare.CompareTarget.VERSION, version: compare.value };
    case 'lease':
      return { key, result, target: v3.Compare.CompareTarget.LEASE, lease: toLeaseId(compare.value) };
  }
}

function toRequestOp(operation: Operation): v3.RequestOp.$Shape {
  switch (operation.type) {
    case 'put':
      return { requestPut: toPutRequest(operation.key, operation.value, operation.lease, operation.prevKv) };
    case 'delete':
      return { requestDeleteRange: operation };
    case 'range':
      return { requestRange: operation };
    case 'txn':
      return { requestTxn: toTxnRequest(operation) };
  }
}

export function toPutRequest(key: string, value: Buffer, lease?: string, prevKv = false): v3.PutRequest.$Shape {
  return { key, value, lease: lease === undefined ? 0 : toLeaseId(lease), prevKv };
}

export function toTxnRequest(txn: TxnRequest): v3.TxnRequest.$Shape {
  return {
    compare: txn.compare.map(toCompare),
    success: txn.success.map(toRequestOp),
    failure: txn.failure.map(toRequestOp),
  };
}

/** Lease ids of this client are below 2^53, see `newLeaseId`. */
export function toLeaseId(lease: string): number {
  const id = Number(lease);
  if (!Number.isSafeInteger(id) || id < 0) {
    throw new EtcdError('InvalidArgument', 'refused', `"${lease}" is not a lease id of this client`);
  }
  return id;
}

/** A decoded message has every field that its contract knows: the class, where a nested field is typed as optional. */
type Decoded<T> = T | null | undefined;

function fromKeyValue(decoded: Decoded<mvccpb.KeyValue.$Properties>): KeyValue {
  const kv = decoded as mvccpb.KeyValue;
  return {
    key: kv.key,
    value: kv.value as Buffer,
    createRevision: kv.createRevision,
    modRevision: kv.modRevision,
    version: kv.version,
    lease: kv.lease === 0 ? '0' : String(kv.lease),
  };
}

export function fromRangeResponse(decoded: v3.RangeResponse.$Properties): RangeResponse {
  const { header, kvs, more, count } = decoded as v3.RangeResponse;
  return { revision: revisionOf(header), kvs: kvs.map(fromKeyValue), more, count };
}

export function fromTxnResponse(
  decoded: v3.TxnResponse.$Properties,
  revision = revisionOf(decoded.header),
): TxnResponse {
  const { succeeded, responses } = decoded as v3.TxnResponse;
  return { revision, succeeded, results: responses.map((op) => fromResponseOp(op, revision)) };
}

/** The headers of nested responses are empty: `revision` is the transaction's. */
function fromResponseOp(op: v3.ResponseOp.$Properties, revision: number): OperationResult {
  if (op.responsePut) {
    const { prevKv } = op.responsePut;
    return prevKv ? { type: 'put', prev: fromKeyValue(prevKv) } : { type: 'put' };
  }
  if (op.responseRange) return { type: 'range', ...fromRangeResponse(op.responseRange), revision };
  if (op.responseDeleteRange) {
    const { deleted, prevKvs } = op.responseDeleteRange as v3.DeleteRangeResponse;
    return { type: 'delete', deleted, prevs: prevKvs.map(fromKeyValue) };
  }
  return { type: 'txn', ...fromTxnResponse(op.responseTxn ?? {}, revision) };
}

export function fromEvent(event: mvccpb.Event.$Properties): WatchEvent {
  const kv = fromKeyValue(event.kv);
  const type = event.type === DELETE ? 'delete' : 'put';
  return event.prevKv ? { type, kv, prev: fromKeyValue(event.prevKv) } : { type, kv };
}

export const revisionOf = (header: Decoded<v3.ResponseHeader.$Properties>): number => header?.revision ?? 0;
