import { hash } from 'node:crypto';
import { KnownTokens } from './known-tokens.ts';

interface Passing<T> {
  readonly known: T;
  readonly untilMs: number;
}

/** What is known of tokens for a while. Their digests are kept and not they, which may be long, or none at all. */
export class PassingTokens<T> {
  private readonly digests = new KnownTokens<Passing<T>>();
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  get(token: string): T | undefined {
    const key = hash('sha256', token, 'base64');
    const found = this.digests.get(key);
    if (!found || this.now() < found.untilMs) return found?.known;
    this.digests.delete(key);
    return undefined;
  }

  set(token: string, known: T, untilMs: number): void {
    this.digests.set(hash('sha256', token, 'base64'), { known, untilMs });
  }
}
