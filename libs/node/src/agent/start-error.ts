import type { StartFailure } from '../pod/pod-runtime.ts';

/** A container could not be started. It becomes its `state.waiting`. */
export class StartError extends Error implements StartFailure {
  readonly reason: string;
  readonly retryAtMs: number;

  constructor(reason: string, message: string, retryAtMs: number) {
    super(message);
    this.name = 'StartError';
    this.reason = reason;
    this.retryAtMs = retryAtMs;
  }
}
