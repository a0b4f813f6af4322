import { StatusError, type StatusReason } from '@periplus/apimachinery';

/**
 * A command that was handed to the network and whose answer never came: it may have happened, may still happen,
 * or never will. Sending the same command again is safe when it is idempotent (a create under a fixed name, a
 * change with a precondition) and turns the unknown into a known outcome.
 */
export class OutcomeUnknownError extends StatusError {
  constructor(reason: Extract<StatusReason, 'ServiceUnavailable' | 'Timeout'>, message: string, cause?: unknown) {
    super(reason, message, undefined, { cause });
    this.name = 'OutcomeUnknownError';
  }
}

/** Whether the change that `error` is about may have happened all the same. */
export const isOutcomeUnknown = (error: unknown): boolean =>
  error instanceof OutcomeUnknownError ||
  (error instanceof StatusError && (error.reason === 'Timeout' || error.reason === 'ServerTimeout'));
