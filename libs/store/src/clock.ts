import { setTimeout } from 'node:timers/promises';

export interface Clock {
  /** Milliseconds from some moment on, never going back. */
  nowMs(): number;
  /** Resolves after `delayMs`, or as soon as `signal` aborts. */
  pause(delayMs: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  pause: (delayMs, signal) => setTimeout(delayMs, undefined, { signal }).catch(() => {}),
};
