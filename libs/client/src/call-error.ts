import { type ServiceError, status } from '@grpc/grpc-js';
import { type Status, StatusError, type StatusReason } from '@periplus/apimachinery';
import { decodeStatusDetails, STATUS_DETAILS_METADATA } from '@periplus/proto';

/** For errors that the server's application code never saw, which carry no Status. */
const REASON: Partial<Record<status, StatusReason>> = {
  [status.INVALID_ARGUMENT]: 'BadRequest',
  [status.UNAUTHENTICATED]: 'Unauthorized',
  [status.PERMISSION_DENIED]: 'Forbidden',
  [status.NOT_FOUND]: 'NotFound',
  [status.ALREADY_EXISTS]: 'AlreadyExists',
  [status.ABORTED]: 'Conflict',
  [status.OUT_OF_RANGE]: 'Expired',
  [status.RESOURCE_EXHAUSTED]: 'TooManyRequests',
  [status.DEADLINE_EXCEEDED]: 'Timeout',
  [status.UNAVAILABLE]: 'ServiceUnavailable',
  [status.CANCELLED]: 'Timeout',
  [status.UNIMPLEMENTED]: 'MethodNotAllowed',
};

/** The StatusError of a failed gRPC call: the one the server sent, else the nearest to the gRPC code. */
export function callError(error: ServiceError): StatusError {
  const [bytes] = error.metadata?.get(STATUS_DETAILS_METADATA) ?? [];
  const sent = bytes && decodeStatusDetails(bytes as Buffer);
  if (sent) return StatusError.fromStatus(sent as Status);
  return new StatusError(REASON[error.code] ?? 'InternalError', error.details || error.message, undefined, {
    cause: error,
  });
}

/** The Status in `bytes`, or undefined when that is no JSON. */
export function statusOf(bytes: Uint8Array | string): Status | undefined {
  try {
    return JSON.parse(Buffer.from(bytes as Uint8Array).toString()) as Status;
  } catch {
    return undefined;
  }
}
