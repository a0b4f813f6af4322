/** The write's precondition did not hold at `revision`. Nothing was changed. Look again at that revision or later. */
export class WriteConflict extends Error {
  readonly revision: number;
  /** The path of the companion that exists already; null when it was the object itself. */
  readonly companion: string | null;
  /** Of a transaction: which of its writes it was, in their order; those that were only to stand come behind them. */
  readonly place: number;

  constructor(revision: number, companion: string | null, place = 0) {
    super(companion === null ? 'the object is not at the expected revision' : `${companion} exists already`);
    this.name = 'WriteConflict';
    this.revision = revision;
    this.companion = companion;
    this.place = place;
  }
}
