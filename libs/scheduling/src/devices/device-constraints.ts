import type { PooledDevice } from './device-pools.ts';
import type { Device, DeviceConstraint } from './resource-types.ts';

/** A device that is to be allocated for a request: `<name>`, or `<name>/<name>` of one of its alternatives. */
export interface ChosenDevice {
  readonly request: string;
  readonly pooled: PooledDevice;
}

type Attribute = NonNullable<Device['attributes']>[string];

const textOf = ({ string, int, bool, version }: Attribute): string => JSON.stringify([string, int, bool, version]);

/** The value of an attribute, as text that differs when values do; a driver may leave out its own name as the domain. */
function attributeOf({ device, pool }: PooledDevice, name: string): string | undefined {
  const { attributes = {} } = device;
  if (Object.hasOwn(attributes, name)) return textOf(attributes[name]!);
  const own = name.slice(pool.driver.length + 1);
  return name === `${pool.driver}/${own}` && Object.hasOwn(attributes, own) ? textOf(attributes[own]!) : undefined;
}

const parentOf = (request: string): string => request.split('/', 1)[0]!;

const concerns = ({ requests = [] }: DeviceConstraint, request: string): boolean =>
  requests.length === 0 || requests.includes(request) || requests.includes(parentOf(request));

/**
 * Whether a claim may have the device beside those that were chosen for it. What it does not keep from a set it does not
 * keep from a larger one either.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/resource-claim-v1/#DeviceClaim
 */
export function satisfies(
  constraint: DeviceConstraint,
  candidate: ChosenDevice,
  chosen: readonly ChosenDevice[],
): boolean {
  if (!concerns(constraint, candidate.request)) return true;
  const { matchAttribute, distinctAttribute } = constraint;
  const name = matchAttribute ?? distinctAttribute!;
  const value = attributeOf(candidate.pooled, name);
  if (value === undefined) return false;
  const others = chosen.filter(({ request }) => concerns(constraint, request));
  if (matchAttribute === undefined) return others.every(({ pooled }) => attributeOf(pooled, name) !== value);
  return others.length === 0 || attributeOf(others[0]!.pooled, name) === value;
}
