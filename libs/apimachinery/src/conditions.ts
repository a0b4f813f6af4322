import { deepEqual } from './deep-equal.ts';

/** What all kinds of conditions have. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/condition/ */
export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

export const conditionOf = <C extends Condition>(conditions: readonly C[] | undefined, type: string): C | undefined =>
  conditions?.find((condition) => condition.type === type);

export const isConditionTrue = (conditions: readonly Condition[] | undefined, type: string): boolean =>
  conditionOf(conditions, type)?.status === 'True';

/**
 * The conditions with `condition` in them. Its lastTransitionTime becomes `now`, except that a condition whose
 * status stays keeps the time it has. Returns `conditions` itself when nothing changes.
 */
export function withCondition<C extends Condition>(
  conditions: readonly C[] | undefined,
  condition: C,
  now: string,
): readonly C[] {
  const before = conditionOf(conditions, condition.type);
  const since = before?.status === condition.status ? before.lastTransitionTime : undefined;
  const after = { ...condition, lastTransitionTime: since ?? now };
  if (!before) return [...(conditions ?? []), after];
  if (conditions && deepEqual(before, after)) return conditions;
  return (conditions ?? []).map((each) => (each === before ? after : each));
}

/** Returns `conditions` itself when there is none of that type. */
export function withoutCondition<C extends Condition>(conditions: readonly C[], type: string): readonly C[] {
  return conditionOf(conditions, type) ? conditions.filter((condition) => condition.type !== type) : conditions;
}
