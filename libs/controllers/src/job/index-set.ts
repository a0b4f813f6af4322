import { type IndexInterval, parseIndexes } from '@periplus/api';

const byFirst = (a: IndexInterval, b: IndexInterval): number => a.first - b.first;

/** Sorted, with nothing that overlaps or touches. */
function normalized(intervals: readonly IndexInterval[]): IndexInterval[] {
  const result: { first: number; last: number }[] = [];
  for (const { first, last } of [...intervals].sort(byFirst)) {
    const previous = result.at(-1);
    if (!previous || first > previous.last + 1) result.push({ first, last });
    else previous.last = Math.max(previous.last, last);
  }
  return result;
}

/**
 * Indexes of a Job, as intervals: a status holds up to 100,000 of them.
 * https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode
 */
export class IndexSet {
  private readonly intervals: readonly IndexInterval[];

  private constructor(intervals: readonly IndexInterval[]) {
    this.intervals = intervals;
  }

  /** Reads `0,3-5` as far as it makes sense, and forgets what is not below `completions`. */
  static parse(text: string | undefined, completions: number): IndexSet {
    const all = parseIndexes(text ?? '', Number.POSITIVE_INFINITY);
    if (typeof all === 'string') return new IndexSet([]);
    const kept = all.filter(({ first }) => first < completions);
    return new IndexSet(normalized(kept.map(({ first, last }) => ({ first, last: Math.min(last, completions - 1) }))));
  }

  get size(): number {
    return this.intervals.reduce((count, { first, last }) => count + last - first + 1, 0);
  }

  has(index: number): boolean {
    // The first interval that does not end before it.
    let [low, high] = [0, this.intervals.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.intervals[middle]!.last < index) low = middle + 1;
      else high = middle;
    }
    return low < this.intervals.length && this.intervals[low]!.first <= index;
  }

  with(indexes: Iterable<number>): IndexSet {
    const more = [...indexes].map((index) => ({ first: index, last: index }));
    return more.length === 0 ? this : new IndexSet(normalized([...this.intervals, ...more]));
  }

  union(other: IndexSet): IndexSet {
    return new IndexSet(normalized([...this.intervals, ...other.intervals]));
  }

  /** How many indexes are in both. */
  common(other: IndexSet): number {
    let count = 0;
    for (let i = 0, j = 0; i < this.intervals.length && j < other.intervals.length; ) {
      const [a, b] = [this.intervals[i]!, other.intervals[j]!];
      count += Math.max(0, Math.min(a.last, b.last) - Math.max(a.first, b.first) + 1);
      if (a.last <= b.last) i += 1;
      else j += 1;
    }
    return count;
  }

  /** The least `count` indexes below `completions` that are not in the set. */
  missing(count: number, completions: number): number[] {
    const result: number[] = [];
    let next = 0;
    for (const { first, last } of [...this.intervals, { first: completions, last: completions }]) {
      for (; next < Math.min(first, completions) && result.length < count; next++) result.push(next);
      next = Math.max(next, last + 1);
    }
    return result;
  }

  /** `0,2,3,5-9`: two neighbours stand beside each other, more make a range. */
  toString(): string {
    return this.intervals
      .map(({ first, last }) =>
        last === first ? `${first}` : last === first + 1 ? `${first},${last}` : `${first}-${last}`,
      )
      .join(',');
  }
}
