import type { Change } from './types.ts';

export interface WindowLimits {
  /** Per resource. */
  changes: number;
  /** Of JSON, per resource. */
  bytes: number;
}

/** For caches that nobody watches from a past version. */
export const NO_PAST: WindowLimits = { changes: 0, bytes: 0 };

/** A place in the log: a write within its transaction. */
export interface Version {
  revision: number;
  index: number;
}

/** The end of a revision: behind all of its writes. */
export const endOf = (revision: number): Version => ({ revision, index: Number.POSITIVE_INFINITY });

/** The recent changes of one resource, for watches that start a little in the past. */
export class ChangeWindow {
  readonly #limits: WindowLimits;
  #changes: Change[] = [];
  /** Changes before this place have been dropped; the array is cut when they are many. */
  #first = 0;
  #bytes = 0;
  /** Every change behind it is here. */
  #start: Version;

  constructor(limits: WindowLimits, start: Version) {
    this.#limits = limits;
    this.#start = start;
  }

  get start(): Version {
    return this.#start;
  }

  push(change: Change): void {
    this.#changes.push(change);
    this.#bytes += change.entry.bytes.length;
    while (
      this.#changes.length - this.#first > this.#limits.changes ||
      (this.#bytes > this.#limits.bytes && this.#first < this.#changes.length)
    ) {
      this.#drop();
    }
  }

  /** The changes behind `version`, in order; undefined when some of them are gone. */
  since(version: Version): Change[] | undefined {
    if (isBefore(version, this.#start)) return undefined;
    let low = this.#first;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(version, this.#changes[middle]!.entry)) high = middle;
      else low = middle + 1;
    }
    return this.#changes.slice(low);
  }

  /** Forgets everything up to `start`: what happened before can no longer be told. */
  restart(start: Version): void {
    this.#changes = [];
    this.#first = 0;
    this.#bytes = 0;
    this.#start = start;
  }

  #drop(): void {
    const { entry } = this.#changes[this.#first]!;
    this.#changes[this.#first] = null as never; // lets go of its objects until the array is cut
    this.#first++;
    this.#bytes -= entry.bytes.length;
    this.#start = { revision: entry.revision, index: entry.index };
    if (this.#first > this.#limits.changes) {
      this.#changes = this.#changes.slice(this.#first);
      this.#first = 0;
    }
  }
}

const isBefore = (a: Version, b: Version): boolean =>
  a.revision < b.revision || (a.revision === b.revision && a.index < b.index);
