import { parseQuantity, Quantity } from '@periplus/apimachinery';
import type { Capacity } from './allocated-devices.ts';
import type { Device, ExactRequest } from './resource-types.ts';

type DeviceCapacity = NonNullable<Device['capacity']>[string];
type Policy = NonNullable<DeviceCapacity['requestPolicy']>;
type Range = NonNullable<Policy['validRange']>;
export type RequestedCapacity = NonNullable<ExactRequest['capacity']>['requests'];

/** The smallest that is at least `wanted` and so many steps above the minimum. */
function inSteps(wanted: Quantity, { min, step }: Range): Quantity {
  const lowest = parseQuantity(min!);
  if (wanted.compare(lowest) < 0) return lowest;
  if (step === undefined) return wanted;
  const width = parseQuantity(step).nano;
  const steps = (wanted.nano - lowest.nano + width - 1n) / width;
  return new Quantity(lowest.nano + steps * width, lowest.format);
}

function taken({ value, requestPolicy }: DeviceCapacity, wanted: string | number | undefined): Quantity {
  if (wanted === undefined) return parseQuantity(requestPolicy?.default ?? value);
  const amount = parseQuantity(wanted);
  if (requestPolicy?.validRange?.min !== undefined) return inSteps(amount, requestPolicy.validRange);
  const values = requestPolicy?.validValues?.map(parseQuantity);
  return values?.find((one) => one.compare(amount) >= 0) ?? amount;
}

function obeys(amount: Quantity, { default: usual, validRange, validValues = [] }: Policy): boolean {
  if (usual !== undefined && amount.compare(parseQuantity(usual)) === 0) return true;
  if (validRange) return validRange.max === undefined || amount.compare(parseQuantity(validRange.max)) <= 0;
  return validValues.length === 0 || validValues.some((one) => parseQuantity(one).compare(amount) === 0);
}

/**
 * What a request takes of each capacity of a device, of which `consumed` is taken already: what it asks for, rounded up as
 * the device wants it, the usual amount, or all of it. Null when the device has not that much, or no such capacity.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#consumable-capacity
 */
export function capacityTaken(
  { capacity = {} }: Device,
  requested: RequestedCapacity = {},
  consumed: Capacity,
): ReadonlyMap<string, Quantity> | null {
  if (Object.keys(requested).some((name) => !Object.hasOwn(capacity, name))) return null;
  const amounts = new Map<string, Quantity>();
  for (const [name, one] of Object.entries(capacity)) {
    const amount = taken(one, Object.hasOwn(requested, name) ? requested[name] : undefined);
    if (one.requestPolicy && !obeys(amount, one.requestPolicy)) return null;
    if (amount.nano + (consumed.get(name) ?? 0n) > parseQuantity(one.value).nano) return null;
    amounts.set(name, amount);
  }
  return amounts;
}
