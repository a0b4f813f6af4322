/** The write's precondition did not hold at `revision`. Nothing was changed. Look again at that revision or later. */
export class WriteConflict extends Error {
  readonly revision: number;
  /** The path of the companion that exists already; null when it was the object itself. */
  readonly companion: string | null;

  constructor(revision: number, companion: string | null) {
    super(companion === null ? 'the object is not at the expected revision' : `${companion} exists already`);
    this.name = 'WriteConflict';
    this.revision = revision;
    this.companion = companion;
  }
}
