/** One measured figure, as it is printed. */
export interface Figure {
  figure: string;
  /** Median of the runs. */
  value: number;
  unit: string;
  /** What the figure must reach, where there is one: "at least 1.0". */
  bar?: string;
  meets?: boolean;
  /** Every run, in order. */
  runs: number[];
  /** What else was seen, such as the baseline beside it. */
  details?: Record<string, unknown>;
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

export const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]!;
};

const rounded = (value: number): number => Number(value.toPrecision(4));

type Bar = { atLeast: number } | { atMost: number };

export function figure(
  name: string,
  unit: string,
  runs: readonly number[],
  bar?: Bar,
  details?: Record<string, unknown>,
): Figure {
  const value = median(runs);
  return {
    figure: name,
    value: rounded(value),
    unit,
    ...(bar &&
      ('atLeast' in bar
        ? { bar: `at least ${bar.atLeast}`, meets: value >= bar.atLeast }
        : { bar: `at most ${bar.atMost}`, meets: value <= bar.atMost })),
    runs: runs.map(rounded),
    ...(details && { details }),
  };
}
