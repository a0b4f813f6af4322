import { type ServiceError, status } from '@grpc/grpc-js';

export type CriFailure = 'NotFound' | 'Unavailable' | 'DeadlineExceeded' | 'Cancelled' | 'Unimplemented' | 'Unknown';

const FAILURE: Partial<Record<number, CriFailure>> = {
  [status.NOT_FOUND]: 'NotFound',
  [status.UNAVAILABLE]: 'Unavailable',
  [status.DEADLINE_EXCEEDED]: 'DeadlineExceeded',
  [status.CANCELLED]: 'Cancelled',
  [status.UNIMPLEMENTED]: 'Unimplemented',
};

/** A call to the runtime failed. `detail` is the runtime's own text, which events and statuses quote. */
export class CriError extends Error {
  readonly failure: CriFailure;
  readonly method: string;
  readonly detail: string;

  constructor(method: string, failure: CriFailure, detail: string) {
    super(`${method}: ${detail}`);
    this.name = 'CriError';
    this.method = method;
    this.failure = failure;
    this.detail = detail;
  }

  static of(method: string, error: ServiceError): CriError {
    return new CriError(method, FAILURE[error.code] ?? 'Unknown', error.details || error.message);
  }
}

export const isCriNotFound = (error: unknown): boolean => error instanceof CriError && error.failure === 'NotFound';

/** Kubelet-style text of any error: `rpc error: code = Unknown desc = ...` for those of the runtime. */
export function describeCriError(error: unknown): string {
  if (!(error instanceof CriError)) return error instanceof Error ? error.message : String(error);
  return `rpc error: code = ${error.failure} desc = ${error.detail}`;
}
