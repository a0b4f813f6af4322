/** What a ResourceClaim and a template of one have in common. */
import type { IDeviceClaim } from 'kubernetes-models/resource.k8s.io/v1/DeviceClaim';
import type { IDeviceSubRequest } from 'kubernetes-models/resource.k8s.io/v1/DeviceSubRequest';
import type { IDeviceToleration } from 'kubernetes-models/resource.k8s.io/v1/DeviceToleration';
import type { IExactDeviceRequest } from 'kubernetes-models/resource.k8s.io/v1/ExactDeviceRequest';

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
