/** What was waited for did not come true in time. */
export class TimedOut extends Error {}

/** Waits for what is to become of claims: looked at again whenever one of them changes. */
export class ClaimWatch {
  /** By claim. */
  private readonly waiting = new Map<string, Set<() => void>>();

  /** A claim has changed, or what belongs to it. */
  look(claim: string): void {
    for (const again of this.waiting.get(claim) ?? []) again();
  }

  /** Resolves when `isTrue`, which throws when it can't come true any more; rejects then, and with TimedOut after `msMax`. */
  until(claims: readonly string[], isTrue: () => boolean, msMax: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error?: Error): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        for (const claim of claims) this.forget(claim, again);
        if (error) reject(error);
        else resolve();
      };
      const abort = (): void => end(signal.reason as Error);
      const again = (): void => {
        try {
          if (isTrue()) end();
        } catch (error) {
          end(error as Error);
        }
      };
      const timer = setTimeout(() => end(new TimedOut('context deadline exceeded')), msMax);
      signal.addEventListener('abort', abort, { once: true });
      for (const claim of claims) this.waiting.set(claim, (this.waiting.get(claim) ?? new Set()).add(again));
      if (signal.aborted) abort();
      else again();
    });
  }

  private forget(claim: string, again: () => void): void {
    const ofClaim = this.waiting.get(claim);
    ofClaim?.delete(again);
    if (ofClaim?.size === 0) this.waiting.delete(claim);
  }
}
