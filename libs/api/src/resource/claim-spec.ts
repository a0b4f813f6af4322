/** What a ResourceClaim and a template of one have in common. */
import type { DeepReadonly, FieldPath } from '@periplus/apimachinery';
import type { IDeviceClaim } from 'kubernetes-models/resource.k8s.io/v1/DeviceClaim';
import type { IDeviceSubRequest } from 'kubernetes-models/resource.k8s.io/v1/DeviceSubRequest';
import type { IDeviceToleration } from 'kubernetes-models/resource.k8s.io/v1/DeviceToleration';
import type { IExactDeviceRequest } from 'kubernetes-models/resource.k8s.io/v1/ExactDeviceRequest';
import type { Errors } from '../field-rules.ts';
import { checkList, checkUniqueList } from './bounded-lists.ts';
import { checkConstraint, checkRequest, checkRequestReferences, requestNamesOf } from './claim-requests.ts';
import { CONFIGS_MAX, CONSTRAINTS_MAX, REQUESTS_MAX } from './limits.ts';
import { checkConfiguration } from './opaque.ts';
import { areTooMany } from './selectors.ts';

/** Requests of which there are none are null. */
export interface ClaimSpec {
  devices: Omit<IDeviceClaim, 'requests'> & { requests: IDeviceClaim['requests'] | null };
}

export function setTolerationDefaults(tolerations: IDeviceToleration[] | undefined): void {
  for (const toleration of tolerations ?? []) toleration.operator ||= 'Equal';
}

function setRequestDefaults(request: IExactDeviceRequest | IDeviceSubRequest): void {
  request.allocationMode ||= 'ExactCount';
  if (request.allocationMode === 'ExactCount') request.count ||= 1;
  setTolerationDefaults(request.tolerations);
}

export function setClaimSpecDefaults(spec: ClaimSpec): void {
  spec.devices ??= { requests: null };
  for (const { exactly, firstAvailable } of spec.devices.requests ?? []) {
    if (exactly) setRequestDefaults(exactly);
    for (const request of firstAvailable ?? []) setRequestDefaults(request);
  }
}

export function checkClaimSpec(errors: Errors, at: FieldPath, { devices }: DeepReadonly<ClaimSpec>): void {
  const place = at.child('devices');
  const { constraints, config } = devices;
  const requests = devices.requests ?? [];
  const selecting = requests.flatMap(({ exactly, firstAvailable = [] }) => [
    ...(exactly ? [exactly] : []),
    ...firstAvailable,
  ]);
  if (areTooMany(errors, place.child('requests'), selecting)) return;
  const known = requestNamesOf(requests);
  checkUniqueList(errors, place, 'requests', requests, REQUESTS_MAX, ({ name }) => name, checkRequest);
  checkList(errors, place, 'constraints', constraints, CONSTRAINTS_MAX, (_, item, constraint) => {
    checkConstraint(errors, item, constraint, known);
  });
  checkList(errors, place, 'config', config, CONFIGS_MAX, (_, item, configuration) => {
    checkRequestReferences(errors, item, configuration.requests, known);
    checkConfiguration(errors, item, configuration);
  });
}
