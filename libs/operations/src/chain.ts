/**
 * A request passes through an ordered list of plain functions. Each may throw StatusError; only those that must wait
 * for something return a promise, so most requests meet no turn of the event loop before their commit.
 */
export type Step<T> = (subject: T) => void | Promise<void>;

export async function runSteps<T>(steps: readonly Step<T>[], subject: T): Promise<void> {
  for (const step of steps) {
    const waiting = step(subject);
    if (waiting) await waiting;
  }
}
