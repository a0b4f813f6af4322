import { IndexSet } from './index-set.ts';
import type { JobView } from './job-pod.ts';

/**
 * Which rule of a Job's success policy its succeeded indexes fulfil, in words; undefined when none.
 * https://kubernetes.io/docs/concepts/workloads/controllers/job/#success-policy
 */
export function fulfilledRule({ spec }: JobView, succeeded: IndexSet): string | undefined {
  if (!spec.successPolicy || succeeded.size === 0) return undefined;
  const position = spec.successPolicy.rules.findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) return succeededCount !== undefined && succeeded.size >= succeededCount;
    const required = IndexSet.parse(succeededIndexes, spec.completions ?? 0);
    if (required.size === 0) return false;
    return required.common(succeeded) >= (succeededCount ?? required.size);
  });
  return position < 0 ? undefined : `Matched rules at index ${position}`;
}
