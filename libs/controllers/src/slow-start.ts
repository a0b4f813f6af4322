/** The first batch of creates; each further one is twice as large, so that what is refused is refused few times. */
const FIRST_BATCH = 1;

/** Commands in steps of one, two, four, ..., none larger than `largest`. */
export function slowStart<T>(commands: readonly T[], largest: number): (readonly T[])[] {
  const steps: (readonly T[])[] = [];
  for (let from = 0, size = FIRST_BATCH; from < commands.length; size = Math.min(2 * size, largest)) {
    steps.push(commands.slice(from, from + size));
    from += size;
  }
  return steps;
}
