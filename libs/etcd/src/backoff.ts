/** Exponential backoff with full jitter: between 0 and `baseMs * 2^attempt`, at most `maxMs`. */
export interface BackoffOptions {
  baseMs: number;
  maxMs: number;
}

/** How long to wait before try number `attempt` (the first is 0). `random` is in [0, 1). */
export function backoffMs(attempt: number, { baseMs, maxMs }: BackoffOptions, random: number): number {
  return Math.floor(Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30)) * random);
}
