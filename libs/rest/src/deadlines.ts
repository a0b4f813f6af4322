import { StatusError } from '@periplus/apimachinery';

/** How long a request may take that says nothing about it; nobody may take longer. As kube-apiserver. */
const REQUEST_MS_MAX = 60_000;
/** How much later than promised a request may be told that its time is over. */
const SWEEP_MS = 250;
/** Go's durations, as far as clients send them: "30s", "1m0s", "500ms". */
const DURATION = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?$/;
const TIMEOUT = /(?:^|&)timeout=([^&]*)/;

interface Deadline {
  atMs: number;
  over: (error: StatusError) => void;
}

/**
 * Ends requests that take too long: what they wait for (an etcd that is away) may take for ever. One timer looks
 * after all of them.
 */
export class Deadlines {
  private readonly running = new Set<Deadline>();
  private readonly timer = setInterval(() => this.sweep(), SWEEP_MS).unref();

  /** `over` is called once when the time is over, unless the function that this returns was called before. */
  start(query: string, over: (error: StatusError) => void): () => void {
    const deadline = { atMs: performance.now() + timeoutMs(query), over };
    this.running.add(deadline);
    return () => this.running.delete(deadline);
  }

  close(): void {
    clearInterval(this.timer);
  }

  private sweep(): void {
    const nowMs = performance.now();
    for (const deadline of this.running) {
      if (deadline.atMs > nowMs) continue;
      this.running.delete(deadline);
      deadline.over(new StatusError('Timeout', 'Timeout: request did not complete within the allotted timeout'));
    }
  }
}

/** What `?timeout=` asks for, within limits. */
export function timeoutMs(query: string): number {
  const asked = query.includes('timeout=') ? TIMEOUT.exec(query)?.[1] : undefined;
  if (!asked) return REQUEST_MS_MAX;
  const [whole, hours, minutes, seconds, millis] = DURATION.exec(asked) ?? [];
  if (!whole) return REQUEST_MS_MAX;
  const ms =
    Number(hours ?? 0) * 3_600_000 + Number(minutes ?? 0) * 60_000 + Number(seconds ?? 0) * 1_000 + Number(millis ?? 0);
  return ms === 0 ? REQUEST_MS_MAX : Math.min(ms, REQUEST_MS_MAX);
}
