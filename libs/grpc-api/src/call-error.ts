import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { internalError, StatusError, type StatusReason } from '@periplus/apimachinery';
import { STATUS_METADATA } from '@periplus/proto';

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

/** The error of a failed call: its code, and the Kubernetes Status as JSON in the trailing metadata. */
export function callError(error: unknown): ServiceError {
  const refusal = asStatusError(error);
  const metadata = new Metadata();
  const json = Buffer.from(JSON.stringify(refusal.toStatus()));
  const { causes: _causes, ...details } = refusal.details ?? {};
  const short = new StatusError(refusal.reason, refusal.message.slice(0, STATUS_BYTES_MAX / 2), details);
  metadata.set(STATUS_METADATA, json.length <= STATUS_BYTES_MAX ? json : Buffer.from(JSON.stringify(short.toStatus())));
  return Object.assign(new Error(refusal.message), {
    code: CODE[refusal.reason],
    details: refusal.message.slice(0, STATUS_BYTES_MAX / 2),
    metadata,
  });
}
