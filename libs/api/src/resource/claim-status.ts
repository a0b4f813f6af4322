/** The status of a ResourceClaim: what it was given, who uses it, and how that does. */
import type { DeepReadonly, FieldPath } from '@periplus/apimachinery';
import type { IResourceClaimConsumerReference } from 'kubernetes-models/resource.k8s.io/v1/ResourceClaimConsumerReference';
import type { IResourceClaimStatus } from 'kubernetes-models/resource.k8s.io/v1/ResourceClaimStatus';
import { sameValue } from '../equality.ts';
import { checkImmutable, checkRequired, type Errors } from '../field-rules.ts';
import { checkAllocation, deviceIdOf } from './allocation.ts';
import { checkUniqueList } from './bounded-lists.ts';
import type { RequestNames } from './claim-requests.ts';
import { checkDeviceStatus } from './device-status.ts';
import { CONSUMERS_MAX } from './limits.ts';

type Status = DeepReadonly<IResourceClaimStatus>;
type Consumer = DeepReadonly<IResourceClaimConsumerReference>;

const devicesOf = ({ allocation }: Status): Set<string> =>
  new Set((allocation?.devices?.results ?? []).map(deviceIdOf));

/** What was said of devices that the claim does not have any more is not said any longer. */
export function dropStatusOfReleased(now: IResourceClaimStatus, old: Status): void {
  if (!now.devices || !old.allocation) return;
  const kept = devicesOf(now);
  const released = new Set([...devicesOf(old)].filter((device) => !kept.has(device)));
  now.devices = now.devices.filter((device) => !released.has(deviceIdOf(device)));
  if (now.devices.length === 0) delete now.devices;
}

function checkConsumer(errors: Errors, at: FieldPath, consumer: Consumer): void {
  for (const field of ['resource', 'name', 'uid'] as const) checkRequired(errors, at, field, consumer[field]);
}

function checkReservations(errors: Errors, at: FieldPath, now: Status, old: Status, isDeleted: boolean): void {
  const { reservedFor = [], allocation } = now;
  checkUniqueList(errors, at, 'reservedFor', reservedFor, CONSUMERS_MAX, ({ uid }) => uid, checkConsumer);
  const place = at.child('reservedFor');
  if (reservedFor.length > 0 && !allocation) {
    errors.push(place.forbidden('may not be specified when `allocated` is not set'));
  } else if (isDeleted) {
    const before = new Map(old.reservedFor?.map((consumer) => [consumer.uid, consumer]));
    const isNew = (one: Consumer): boolean => !sameValue(one, before.get(one.uid));
    const detail = 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set';
    if (reservedFor.some(isNew)) errors.push(place.forbidden(detail));
  }
}

/** `known` are the requests of the claim; one that `isDeleted` is given to nobody else. */
export function checkClaimStatus(
  errors: Errors,
  at: FieldPath,
  now: Status,
  old: Status,
  { known, isDeleted }: { readonly known: RequestNames; readonly isDeleted: boolean },
): void {
  checkReservations(errors, at, now, old, isDeleted);
  const allocated = devicesOf(now);
  // As many as there are results: each is of one of them.
  checkUniqueList(errors, at, 'devices', now.devices, Number.POSITIVE_INFINITY, deviceIdOf, (_, place, device) => {
    checkDeviceStatus(errors, place, device, allocated);
  });
  if (now.allocation && old.allocation) checkImmutable(errors, at, 'allocation', now.allocation, old.allocation);
  else if (now.allocation) checkAllocation(errors, at.child('allocation'), now.allocation, known);
}
