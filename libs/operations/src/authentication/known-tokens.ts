/** Tokens that are remembered by each authenticator; beyond that the oldest is forgotten. */
const TOKENS_MAX = 10_000;

/** What is known of tokens that were found to hold. */
export class KnownTokens<T> {
  private readonly tokens = new Map<string, T>();

  get(token: string): T | undefined {
    return this.tokens.get(token);
  }

  set(token: string, known: T): void {
    if (this.tokens.size >= TOKENS_MAX) this.tokens.delete(this.tokens.keys().next().value!);
    this.tokens.set(token, known);
  }

  delete(token: string): void {
    this.tokens.delete(token);
  }
}
