import { status } from '@grpc/grpc-js';
import type { EtcdError, EtcdErrorReason } from '@periplus/etcd';

/** What a failed call ends with. */
export interface GateStatus {
  code: status;
  details: string;
}

/** In etcd's words, so that its clients know them. */
export const PERMISSION_DENIED: GateStatus = {
  code: status.PERMISSION_DENIED,
  details: 'etcdserver: permission denied',
};

export const UNAUTHENTICATED: GateStatus = {
  code: status.UNAUTHENTICATED,
  details: 'etcd gate: a client certificate of a node is needed',
};

const CODES: Record<EtcdErrorReason, status> = {
  Unavailable: status.UNAVAILABLE,
  // The caller has a deadline of its own; this one was ours.
  DeadlineExceeded: status.UNAVAILABLE,
  Compacted: status.OUT_OF_RANGE,
  FutureRevision: status.OUT_OF_RANGE,
  NoSpace: status.RESOURCE_EXHAUSTED,
  PermissionDenied: status.INTERNAL,
  Unauthenticated: status.INTERNAL,
  LeaseNotFound: status.NOT_FOUND,
  TooLarge: status.INVALID_ARGUMENT,
  InvalidArgument: status.INVALID_ARGUMENT,
  Unknown: status.UNKNOWN,
};

/** The status that says to a client of the gate what etcd said to the gate. */
export function statusOf({ reason, message }: EtcdError): GateStatus {
  const code = CODES[reason];
  // The gate itself was refused, which must not look as if the caller were.
  return { code, details: code === status.INTERNAL ? 'etcd gate: etcd refuses the gate' : message };
}
