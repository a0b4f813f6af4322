/** Questions of one sort under way at once; others wait until the next look. */
const ASKED_MAX = 16;
/** Answers of one sort that are kept; beyond that the oldest is forgotten, and asked for again by who wants it. */
const ANSWERS_MAX = 1_000;
/** How long an answer counts: what was true may change, and who asked has acted on it long since. */
const ANSWER_MS = 10_000;

/** When a reconciler that was told "not yet" looks again. */
export const ANSWER_SOON_MS = 50;

/**
 * What a reconciler has to ask somebody for who takes his time: another process, or a library that computes in the
 * background. Undefined: not answered yet, look again. Throws what the answer failed with. `key` tells questions apart.
 */
export type Enquiry<Question, Answer> = (key: string, question: Question) => Answer | undefined;

type Outcome<Answer> = { untilMs: number } & ({ answer: Answer } | { error: unknown });

/** Makes an enquiry of a call, which comes to an end by itself. Reconcilers stay synchronous: this is what does the I/O. */
export function enquiry<Question, Answer>(
  ask: (question: Question) => Promise<Answer>,
  now: () => number = Date.now,
): Enquiry<Question, Answer> {
  const asked = new Set<string>();
  const outcomes = new Map<string, Outcome<Answer>>();
  const conclude = (key: string, how: { answer: Answer } | { error: unknown }): void => {
    asked.delete(key);
    if (outcomes.size >= ANSWERS_MAX) outcomes.delete(outcomes.keys().next().value!);
    outcomes.set(key, { ...how, untilMs: now() + ANSWER_MS });
  };
  return (key, question) => {
    const outcome = outcomes.get(key);
    const counts = outcome !== undefined && now() < outcome.untilMs;
    if (counts && 'answer' in outcome) return outcome.answer;
    outcomes.delete(key);
    if (counts && 'error' in outcome) throw outcome.error;
    if (!asked.has(key) && asked.size < ASKED_MAX) {
      asked.add(key);
      ask(question).then(
        (answer) => conclude(key, { answer }),
        (error: unknown) => conclude(key, { error }),
      );
    }
    return undefined;
  };
}
