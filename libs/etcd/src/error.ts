import { type ServiceError, status } from '@grpc/grpc-js';

/** Why a call failed, in the words a caller acts on. */
export type EtcdErrorReason =
  | 'Unavailable'
  | 'DeadlineExceeded'
  | 'Compacted'
  | 'FutureRevision'
  | 'NoSpace'
  | 'PermissionDenied'
  | 'Unauthenticated'
  | 'LeaseNotFound'
  | 'TooLarge'
  | 'InvalidArgument'
  | 'Unknown';

/** 'refused': certainly not applied. 'unknown': it may have been. */
export type EtcdOutcome = 'refused' | 'unknown';

/** How a call failed. `outcome` says whether a write may have happened. */
export class EtcdError extends Error {
  readonly reason: EtcdErrorReason;
  readonly outcome: EtcdOutcome;

  constructor(reason: EtcdErrorReason, outcome: EtcdOutcome, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EtcdError';
    this.reason = reason;
    this.outcome = outcome;
  }
}

/**
 * etcd's messages, which say more than their gRPC code: https://github.com/etcd-io/etcd, rpctypes/error.go.
 * NoSpace is 'unknown' because a write that takes the last of the quota is applied and answered with that error.
 */
const MESSAGES: readonly (readonly [fragment: string, reason: EtcdErrorReason, outcome: EtcdOutcome])[] = [
  ['required revision has been compacted', 'Compacted', 'refused'],
  ['required revision is a future revision', 'FutureRevision', 'refused'],
  ['database space exceeded', 'NoSpace', 'unknown'],
  ['permission denied', 'PermissionDenied', 'refused'],
  ['requested lease not found', 'LeaseNotFound', 'refused'],
  ['request is too large', 'TooLarge', 'refused'],
  ['too many operations in txn request', 'TooLarge', 'refused'],
  ['grpc: received message larger than max', 'TooLarge', 'refused'],
  ['Received message larger than max', 'TooLarge', 'unknown'],
  ['user name is empty', 'Unauthenticated', 'refused'],
  ['invalid auth token', 'Unauthenticated', 'refused'],
  // Refused before they reach the log, and true only for a moment or of one member: worth another try.
  ['revision of auth store is old', 'Unavailable', 'refused'],
  ['too many requests', 'Unavailable', 'refused'],
  ['etcdserver: no leader', 'Unavailable', 'refused'],
  ['rpc not supported for learner', 'Unavailable', 'refused'],
];

const CODES: Partial<Record<status, readonly [EtcdErrorReason, EtcdOutcome]>> = {
  [status.UNAVAILABLE]: ['Unavailable', 'unknown'],
  [status.CANCELLED]: ['Unavailable', 'unknown'],
  [status.INTERNAL]: ['Unavailable', 'unknown'], // how grpc-js reports a stream that the connection took with it
  [status.DEADLINE_EXCEEDED]: ['DeadlineExceeded', 'unknown'],
  [status.PERMISSION_DENIED]: ['PermissionDenied', 'refused'],
  [status.UNAUTHENTICATED]: ['Unauthenticated', 'refused'],
  [status.INVALID_ARGUMENT]: ['InvalidArgument', 'refused'],
  [status.FAILED_PRECONDITION]: ['InvalidArgument', 'refused'],
  [status.OUT_OF_RANGE]: ['InvalidArgument', 'refused'],
  [status.RESOURCE_EXHAUSTED]: ['Unavailable', 'unknown'],
};

/** The error for a message of etcd's, with what its gRPC code says when the message is not known. */
export function etcdErrorOf(message: string, code: status = status.UNKNOWN, cause?: unknown): EtcdError {
  for (const [fragment, reason, outcome] of MESSAGES) {
    if (message.includes(fragment)) return new EtcdError(reason, outcome, message, { cause });
  }
  const [reason, outcome] = CODES[code] ?? ['Unknown', 'unknown'];
  return new EtcdError(reason, outcome, message, { cause });
}

/** The error for a failed gRPC call. */
export const fromServiceError = (error: ServiceError): EtcdError =>
  etcdErrorOf(error.details || error.message, error.code, error);
