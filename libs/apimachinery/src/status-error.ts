import type { FieldError } from './field-error.ts';

/** Reason to HTTP code, the only table of it. https://github.com/kubernetes/apimachinery metav1.StatusReason */
const CODE = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
  ServerTimeout: 500,
} as const;

export type StatusReason = keyof typeof CODE;

export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: Record<string, never>;
  status: 'Failure' | 'Success';
  message?: string;
  reason?: StatusReason;
  details?: StatusDetails;
  code?: number;
}

/** The one error that domain code throws. Edges encode it; everything else they see is an InternalError. */
export class StatusError extends Error {
  readonly reason: StatusReason;
  readonly details: StatusDetails | undefined;

  constructor(reason: StatusReason, message: string, details?: StatusDetails, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StatusError';
    this.reason = reason;
    this.details = details;
  }

  get code(): number {
    return CODE[this.reason];
  }

  toStatus(): Status {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      ...(this.details && { details: this.details }),
      code: this.code,
    };
  }

  static fromStatus(status: Status): StatusError {
    const reason = status.reason && Object.hasOwn(CODE, status.reason) ? status.reason : 'InternalError';
    return new StatusError(reason, status.message ?? reason, status.details);
  }
}

/** Names a kind of resource in messages: `pods`, `deployments.apps`. */
export interface GroupResource {
  group: string;
  resource: string;
}

const qualified = ({ group, resource }: GroupResource): string => (group ? `${resource}.${group}` : resource);
const detailsOf = ({ group, resource }: GroupResource, name: string): StatusDetails => ({
  ...(name && { name }),
  ...(group && { group }),
  kind: resource,
});

export const notFound = (of: GroupResource, name: string): StatusError =>
  new StatusError('NotFound', `${qualified(of)} "${name}" not found`, detailsOf(of, name));

export const alreadyExists = (of: GroupResource, name: string): StatusError =>
  new StatusError('AlreadyExists', `${qualified(of)} "${name}" already exists`, detailsOf(of, name));

export const conflict = (of: GroupResource, name: string, why: string): StatusError =>
  new StatusError(
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(of)} "${name}": ${why}`,
    detailsOf(of, name),
  );

/** The conflict of a stale resourceVersion, in Kubernetes' words. */
export const staleVersion = (of: GroupResource, name: string): StatusError =>
  conflict(of, name, 'the object has been modified; please apply your changes to the latest version and try again');

export const forbidden = (of: GroupResource, name: string, why: string): StatusError =>
  new StatusError(
    'Forbidden',
    name ? `${qualified(of)} "${name}" is forbidden: ${why}` : `${qualified(of)} is forbidden: ${why}`,
    detailsOf(of, name),
  );

/** The resource has no such verb; `action` is one: "patch". */
export const methodNotSupported = (of: GroupResource, action: string): StatusError =>
  new StatusError(
    'MethodNotAllowed',
    `${action} is not supported on resources of kind "${qualified(of)}"`,
    detailsOf(of, ''),
  );

/** The path has no handler for the HTTP method. */
export const methodNotAllowed = (): StatusError =>
  new StatusError('MethodNotAllowed', 'the server does not allow this method on the requested resource', {});

/** No path of the API is like this one. */
export const pathNotFound = (): StatusError =>
  new StatusError('NotFound', 'the server could not find the requested resource', {});

/** generateName ran into names that exist. */
export const generateNameConflict = (of: GroupResource, name: string, retryAfterSeconds: number): StatusError =>
  new StatusError(
    'AlreadyExists',
    `${qualified(of)} "${name}" already exists, the server was not able to generate a unique name for the object`,
    { ...detailsOf(of, name), retryAfterSeconds },
  );

export const notAcceptable = (mediaTypes: readonly string[]): StatusError =>
  new StatusError('NotAcceptable', `only the following media types are accepted: ${mediaTypes.join(', ')}`);

export const unsupportedMediaType = (mediaTypes: readonly string[]): StatusError =>
  new StatusError(
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${mediaTypes.join(', ')}`,
  );

/** `why` is "limit is 3145728" for a body. */
export const requestEntityTooLarge = (why: string): StatusError =>
  new StatusError('RequestEntityTooLarge', `Request entity too large: ${why}`);

export const tooManyRequests = (message: string, retryAfterSeconds: number): StatusError =>
  new StatusError('TooManyRequests', message, { retryAfterSeconds });

/** The request took too long; it may still complete. */
export const timeout = (why: string, retryAfterSeconds = 0): StatusError =>
  new StatusError('Timeout', `Timeout: ${why}`, retryAfterSeconds > 0 ? { retryAfterSeconds } : {});

/** A passing trouble: the client should try again. */
export const serverTimeout = (of: GroupResource, operation: string, retryAfterSeconds: number): StatusError =>
  new StatusError(
    'ServerTimeout',
    `The ${operation} operation against ${qualified(of)} could not be completed at this time, please try again.`,
    { ...detailsOf(of, operation), retryAfterSeconds },
  );

export const serviceUnavailable = (message: string): StatusError => new StatusError('ServiceUnavailable', message);
export const gone = (message: string): StatusError => new StatusError('Gone', message);

/** 422 for a request that is well formed but cannot be carried out, such as a patch. Kubernetes does not tell clients why. */
export const rejectedRequest = (why: string): StatusError =>
  new StatusError('Invalid', 'the server rejected our request due to an error in our request', {}, { cause: why });

export const badRequest = (message: string): StatusError => new StatusError('BadRequest', message);
export const unauthorized = (): StatusError => new StatusError('Unauthorized', 'Unauthorized');
export const expired = (message: string): StatusError => new StatusError('Expired', message);
export const internalError = (message: string, options?: ErrorOptions): StatusError =>
  new StatusError('InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] }, options);

/** 422 with one cause per field error, worded as kube-apiserver words it. */
export function invalid(of: { group: string; kind: string }, name: string, errors: readonly FieldError[]): StatusError {
  const subject = `${of.kind}${of.group ? `.${of.group}` : ''} "${name}" is invalid`;
  const parts = [...new Set(errors.map((error) => `${error.field}: ${error.message}`))];
  const reasons = parts.length === 1 ? parts[0] : `[${parts.join(', ')}]`;
  const message = parts.length === 0 ? subject : `${subject}: ${reasons}`;
  return new StatusError('Invalid', message, {
    name,
    ...(of.group && { group: of.group }),
    kind: of.kind,
    causes: errors.map((error) => ({ reason: error.reason, message: error.message, field: error.field })),
  });
}

const hasReason =
  (...reasons: StatusReason[]) =>
  (error: unknown): error is StatusError =>
    error instanceof StatusError && reasons.includes(error.reason);

export const isNotFound = hasReason('NotFound');
export const isAlreadyExists = hasReason('AlreadyExists');
export const isConflict = hasReason('Conflict');
export const isExpired = hasReason('Expired', 'Gone');
export const isInvalid = hasReason('Invalid');
export const isForbidden = hasReason('Forbidden');
export const isBadRequest = hasReason('BadRequest');
export const isTooManyRequests = hasReason('TooManyRequests');
/** The same request may succeed later, and did not change anything now. */
export const isRetriable = hasReason('TooManyRequests', 'ServerTimeout', 'ServiceUnavailable');
