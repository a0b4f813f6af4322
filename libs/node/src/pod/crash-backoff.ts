/**
 * How long a container that keeps ending stays down: the first restart is at once, then 10 s doubling to 300 s
 * after each end, and from the start again once it has run for 10 minutes.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy
 */
export interface Backoff {
  readonly delayMs: number;
  /** When the delay was last made longer. */
  readonly sinceMs: number;
}

const DELAY_MS_MIN = 10_000;
const DELAY_MS_MAX = 300_000;
const RESET_AFTER_MS = 2 * DELAY_MS_MAX;

const isOver = (backoff: Backoff, eventMs: number): boolean => eventMs - backoff.sinceMs > RESET_AFTER_MS;

/** When to try again what failed at `failedMs`; undefined: at once. */
export function retryAt(backoff: Backoff | undefined, failedMs: number): number | undefined {
  if (!backoff || isOver(backoff, failedMs)) return undefined;
  return failedMs + backoff.delayMs;
}

/** The back-off after one more attempt, made at `nowMs` because of a failure at `failedMs`. */
export function nextBackoff(backoff: Backoff | undefined, failedMs: number, nowMs: number): Backoff {
  const starts = !backoff || isOver(backoff, failedMs);
  return { delayMs: starts ? DELAY_MS_MIN : Math.min(backoff.delayMs * 2, DELAY_MS_MAX), sinceMs: nowMs };
}

/** A duration in the way Go prints it: `10s`, `2m40s`, `5m0s`. */
export function shortDuration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
