import { parseTime } from '@periplus/apimachinery';
import type { Allocation, Claim } from './resource-types.ts';

type Status = NonNullable<NonNullable<Claim['status']>['devices']>[number];
type Condition = NonNullable<Status['conditions']>[number];

const isTrueOf = (conditions: readonly Condition[], type: string): Condition | undefined =>
  conditions.find((one) => one.type === type && one.status === 'True');

/** Whether devices of the allocation have to be made ready before a pod may be bound. */
export const hasToBecomeReady = ({ devices }: Allocation): boolean =>
  devices?.results?.some(({ bindingConditions = [] }) => bindingConditions.length > 0) === true;

/**
 * Whether all devices of the claim are ready for its pods. Throws when one of them can't become that.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#device-binding-conditions
 */
export function isReady({ metadata, status }: Claim): boolean {
  if (!status?.allocation) return false;
  return (status.allocation.devices?.results ?? []).every((result) => {
    const { bindingConditions = [], bindingFailureConditions = [], driver, pool, device } = result;
    if (bindingConditions.length === 0) return true;
    const { conditions = [] } =
      status.devices?.find((one) => one.driver === driver && one.pool === pool && one.device === device) ?? {};
    for (const type of bindingFailureConditions) {
      const failure = isTrueOf(conditions, type);
      if (!failure) continue;
      const why = `reason=${failure.reason}, message=${JSON.stringify(failure.message)}`;
      throw new Error(`claim ${metadata.name} binding failed: ${why}`);
    }
    return bindingConditions.every((type) => isTrueOf(conditions, type));
  });
}

/** Whether the claim has waited so long for its devices, or one has failed, that it had better have others. */
export function isHopeless(claim: Claim, { nowMs, msMax }: { nowMs: number; msMax: number }): boolean {
  const { allocation } = claim.status ?? {};
  if (!allocation || !hasToBecomeReady(allocation)) return false;
  try {
    if (isReady(claim)) return false;
  } catch {
    return true;
  }
  const sinceMs = parseTime(allocation.allocationTimestamp ?? '');
  return sinceMs !== undefined && sinceMs + msMax < nowMs;
}
