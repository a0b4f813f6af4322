/** Time as the runtime sees it; tests bring their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Calls back once; the result cancels it. */
  after(delayMs: number, callback: () => void): () => void;
}

/** Longest delay that setTimeout takes; longer ones are looked at again then. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(delayMs, TIMER_MS_MAX));
    return () => clearTimeout(timer);
  },
};
