/** The first batch of creates where nothing tells that they succeed. */
const FIRST_BATCH = 1;

/**
 * Commands in steps of one, two, four, ..., none larger than `largest`, so that what is refused is refused few times.
 * Where as many have succeeded before, the first step may be of `first`.
 */
export function slowStart<T>(commands: readonly T[], largest: number, first = FIRST_BATCH): (readonly T[])[] {
  const steps: (readonly T[])[] = [];
  for (let from = 0, size = Math.min(first, largest); from < commands.length; size = Math.min(2 * size, largest)) {
    steps.push(commands.slice(from, from + size));
    from += size;
  }
  return steps;
}
