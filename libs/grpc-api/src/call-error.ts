import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { internalError, StatusError, type StatusReason } from '@periplus/apimachinery';
import { encodeStatusDetails, STATUS_DETAILS_METADATA } from '@periplus/proto';

const CODE: Readonly<Record<StatusReason, status>> = {
  BadRequest: status.INVALID_ARGUMENT,
  Unauthorized: status.UNAUTHENTICATED,
  Forbidden: status.PERMISSION_DENIED,
  NotFound: status.NOT_FOUND,
  MethodNotAllowed: status.UNIMPLEMENTED,
  NotAcceptable: status.INVALID_ARGUMENT,
  AlreadyExists: status.ALREADY_EXISTS,
  Conflict: status.ABORTED,
  Gone: status.OUT_OF_RANGE,
  Expired: status.OUT_OF_RANGE,
  RequestEntityTooLarge: status.RESOURCE_EXHAUSTED,
  UnsupportedMediaType: status.INVALID_ARGUMENT,
  Invalid: status.INVALID_ARGUMENT,
  TooManyRequests: status.RESOURCE_EXHAUSTED,
  InternalError: status.INTERNAL,
  ServiceUnavailable: status.UNAVAILABLE,
  Timeout: status.DEADLINE_EXCEEDED,
  ServerTimeout: status.UNAVAILABLE,
};

/** Clients accept this much metadata without being told otherwise; the causes of a Status are what makes it long. */
const STATUS_BYTES_MAX = 4 * 1024;

/** Everything that is no StatusError is told to the client as an internal error. */
export const asStatusError = (error: unknown): StatusError =>
  error instanceof StatusError ? error : internalError(error instanceof Error ? error.message : String(error));

/** The error of a failed call: its code, and the Kubernetes Status in the details of it. */
export function callError(error: unknown): ServiceError {
  const refusal = asStatusError(error);
  const code = CODE[refusal.reason];
  // Half a character, of the client's or of the cut, is one that grpc-js can't send: it would throw where nobody catches.
  const message = refusal.message.slice(0, STATUS_BYTES_MAX / 4).toWellFormed();
  const { causes: _causes, ...details } = refusal.details ?? {};
  const whole = encodeStatusDetails(code, message, refusal.toStatus());
  const isShort = whole.length <= STATUS_BYTES_MAX;
  const short = new StatusError(refusal.reason, message, details);
  const metadata = new Metadata();
  metadata.set(STATUS_DETAILS_METADATA, isShort ? whole : encodeStatusDetails(code, message, short.toStatus()));
  return Object.assign(new Error(refusal.message), { code, details: message, metadata });
}
