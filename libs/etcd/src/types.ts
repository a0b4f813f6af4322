import type { EtcdError } from './error.ts';

/**
 * etcd's API as this project uses it. Keys are UTF-8 strings, values are bytes, revisions are numbers
 * (below 2^53). https://etcd.io/docs/v3.6/learning/api/
 */
export interface KeyValue {
  key: string;
  value: Buffer;
  createRevision: number;
  modRevision: number;
  version: number;
  /** '0' when none. */
  lease: string;
}

export interface RangeRequest {
  key: string;
  /** Exclusive end; absent for the single key; see `prefixEnd`. */
  rangeEnd?: string;
  limit?: number;
  /** Read as of this revision; absent for the newest. */
  revision?: number;
  serializable?: boolean;
  keysOnly?: boolean;
  countOnly?: boolean;
}

export interface RangeResponse {
  revision: number;
  kvs: KeyValue[];
  more: boolean;
  count: number;
}

export type Compare =
  | {
      key: string;
      target: 'mod' | 'create' | 'version';
      result: 'equal' | 'greater' | 'less' | 'notEqual';
      value: number;
    }
  | { key: string; target: 'lease'; result: 'equal'; value: string };

export type Operation =
  | { type: 'put'; key: string; value: Buffer; lease?: string; prevKv?: boolean }
  | { type: 'delete'; key: string; rangeEnd?: string; prevKv?: boolean }
  | ({ type: 'range' } & RangeRequest)
  | ({ type: 'txn' } & TxnRequest);

export interface TxnRequest {
  compare: readonly Compare[];
  success: readonly Operation[];
  failure: readonly Operation[];
}

export type OperationResult =
  | { type: 'put'; prev?: KeyValue }
  | { type: 'delete'; deleted: number; prevs: KeyValue[] }
  | ({ type: 'range' } & RangeResponse)
  | ({ type: 'txn' } & TxnResponse);

export interface TxnResponse {
  revision: number;
  succeeded: boolean;
  results: OperationResult[];
}

export interface WatchEvent {
  type: 'put' | 'delete';
  kv: KeyValue;
  prev?: KeyValue;
}

/** All events of one revision, in transaction order. Never part of a revision. */
export interface RevisionBatch {
  revision: number;
  events: WatchEvent[];
}

export interface WatchOptions {
  key: string;
  rangeEnd?: string;
  /** First revision wanted. */
  startRevision: number;
  prevKv?: boolean;
  /**
   * Called in order, each revision exactly once, across reconnects. Must not throw; runs synchronously, so a
   * slow callback is the back-pressure.
   */
  onRevision(batch: RevisionBatch): void;
  /** Every event up to and including `revision` has been delivered. */
  onProgress?(revision: number): void;
  /** The watch is over: revisions before `compactRevision` are gone; list again and watch from there. */
  onCompacted(compactRevision: number): void;
  /** The watch is over for good: cancelled by the server (permission denied, ...). Never a lost connection. */
  onFailed(error: EtcdError): void;
}

export interface WatchHandle {
  /**
   * Asks the server for the revision it has reached, until it is answered through `onProgress`. An answer may have been
   * under way already: ask again when it says too little. etcd before 3.4.31 and 3.5.13 answers ahead of events still to
   * be sent, which is not believed: there progress comes with its next periodic notification only
   * (`--experimental-watch-progress-notify-interval`).
   */
  requestProgress(): void;
  cancel(): void;
}

export interface LeaseHandle {
  readonly id: string;
  /** Resolves when the lease is gone: expired, revoked elsewhere, or `revoke` was called. */
  readonly ended: Promise<void>;
  /** Stops the keep-alives and revokes. */
  revoke(): Promise<void>;
}

export interface EtcdClient {
  range(request: RangeRequest): Promise<RangeResponse>;
  put(key: string, value: Buffer, lease?: string): Promise<{ revision: number }>;
  /** Not retried once sent: see `EtcdError.outcome`. */
  txn(request: TxnRequest): Promise<TxnResponse>;
  watch(options: WatchOptions): WatchHandle;
  /** Grants a lease and keeps it alive, over one stream for all leases of this client. */
  lease(ttlSeconds: number): Promise<LeaseHandle>;
  /** A lease that nobody keeps alive; resolves to its id, which may be given (below 2^53) and must be new then. */
  grant(ttlSeconds: number, lease?: string): Promise<string>;
  /** Renews a lease once; resolves to the seconds that it now has, 0 when it is gone. */
  renew(lease: string): Promise<number>;
  /** Ends a lease and its keys. Resolves too when it was gone already. */
  revoke(lease: string): Promise<void>;
  /** Forgets all revisions before `revision`. With authentication, newer releases of etcd let only root. */
  compact(revision: number): Promise<void>;
  /** Ends all watches without a word and takes no more calls; those under way may still end well. Leases are left to expire. */
  close(): Promise<void>;
}

export interface EtcdOptions {
  /** `https://host:port` or `http://host:port`; one is used, the others are for failover. */
  endpoints: readonly string[];
  tls?: { ca: Buffer; cert: Buffer; key: Buffer };
  /** How long a call may take in all, retries included. Default 5000. */
  timeoutMs?: number;
  /**
   * How often an open stream's connection is probed; a probe may stay unanswered for half of it. etcd drops clients that probe more
   * often than every 5 seconds. Default 10000.
   */
  keepaliveMs?: number;
}
