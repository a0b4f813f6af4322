import { badRequest, goDurationMs, StatusError } from '@periplus/apimachinery';

/** How long a request may take that says nothing about it; nobody may take longer. As kube-apiserver. */
const REQUEST_MS_MAX = 60_000;
/** How much later than promised a request may be told that its time is over. */
const SWEEP_MS = 250;

interface Deadline {
  atMs: number;
  over: (error: StatusError) => void;
}

/**
 * Ends requests that take too long: what they wait for (an etcd that is away) may take for ever. One timer looks
 * after all of them, and rests while there are none.
 */
export class Deadlines {
  private readonly running = new Set<Deadline>();
  private timer: NodeJS.Timeout | null = null;

  /**
   * `over` is called once when the time is over, unless the function that this returns was called before. Throws
   * BadRequest when the query asks for a time that is none.
   */
  start(query: string, over: (error: StatusError) => void): () => void {
    const deadline = { atMs: performance.now() + timeoutMs(query), over };
    this.running.add(deadline);
    this.timer ??= setInterval(() => this.sweep(), SWEEP_MS).unref();
    return () => this.running.delete(deadline);
  }

  close(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
  }

  private sweep(): void {
    if (this.running.size === 0) this.close();
    const nowMs = performance.now();
    for (const deadline of this.running) {
      if (deadline.atMs > nowMs) continue;
      this.running.delete(deadline);
      deadline.over(new StatusError('Timeout', 'Timeout: request did not complete within the allotted timeout'));
    }
  }
}

/** What `?timeout=` asks for, within limits. Throws BadRequest. */
export function timeoutMs(query: string): number {
  const asked = query.includes('timeout=') && new URLSearchParams(query).get('timeout');
  if (!asked) return REQUEST_MS_MAX;
  const ms = goDurationMs(asked);
  if (ms === undefined) {
    throw badRequest(`invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(asked)}`);
  }
  return ms <= 0 ? REQUEST_MS_MAX : Math.min(ms, REQUEST_MS_MAX);
}
