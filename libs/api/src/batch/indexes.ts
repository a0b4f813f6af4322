/** What is wrong with a list of a Job's indexes. */
class IndexesProblem extends Error {}

/** Indexes from `first` to `last`, both included. */
export interface Interval {
  first: number;
  last: number;
}

function parseIndex(text: string, completions: number): number {
  if (!/^[-+]?\d{1,10}$/.test(text)) {
    throw new IndexesProblem(`cannot convert string to integer for index: ${JSON.stringify(text)}`);
  }
  const index = Number(text);
  if (index >= completions) throw new IndexesProblem(`too large index: ${JSON.stringify(text)}`);
  return index;
}

const notIncreasing = (previous: number, current: number): IndexesProblem =>
  new IndexesProblem(`non-increasing order, previous: ${previous}, current: ${current}`);

function parseInterval(text: string, completions: number): Interval {
  const [low = '', high, more] = text.split('-');
  if (more !== undefined) {
    const rule = "an index interval can have at most two parts separated by '-'";
    throw new IndexesProblem(`the fragment ${JSON.stringify(text)} violates the requirement that ${rule}`);
  }
  const first = parseIndex(low, completions);
  if (high === undefined) return { first, last: first };
  const last = parseIndex(high, completions);
  if (first >= last) throw notIncreasing(first, last);
  return { first, last };
}

/**
 * Parses `1,3-5,7`: increasing indexes below `completions`. Gives the problem in Kubernetes' words instead when it is
 * none. https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode
 */
export function parseIndexes(text: string, completions: number): Interval[] | string {
  const intervals: Interval[] = [];
  if (text === '') return intervals;
  try {
    for (const part of text.split(',')) {
      const interval = parseInterval(part, completions);
      const previous = intervals.at(-1)?.last;
      if (previous !== undefined && previous >= interval.first) throw notIncreasing(previous, interval.first);
      intervals.push(interval);
    }
    return intervals;
  } catch (error) {
    if (error instanceof IndexesProblem) return error.message;
    throw error;
  }
}

export const countOf = (intervals: readonly Interval[]): number =>
  intervals.reduce((count, { first, last }) => count + last - first + 1, 0);

/** The least index that is in both; undefined when there is none. */
export function commonIndex(one: readonly Interval[], other: readonly Interval[]): number | undefined {
  for (let i = 0, j = 0; i < one.length && j < other.length; ) {
    const [a, b] = [one[i]!, other[j]!];
    if (a.first <= b.last && b.first <= a.last) return Math.max(a.first, b.first);
    if (a.first <= b.first) i++;
    else j++;
  }
  return undefined;
}
