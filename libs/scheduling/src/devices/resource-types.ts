/** The parts of the API's kinds that have to do with devices, under short names. */
import type { DeviceClass, Node, ResourceClaim, ResourceSlice } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';

export type Claim = DeepReadonly<ResourceClaim>;
export type Class = DeepReadonly<DeviceClass>;
export type Slice = DeepReadonly<ResourceSlice>;
export type NodeView = DeepReadonly<Node>;
export type Device = NonNullable<Slice['spec']['devices']>[number];
export type Allocation = NonNullable<NonNullable<Claim['status']>['allocation']>;
export type AllocatedDevice = NonNullable<NonNullable<Allocation['devices']>['results']>[number];
export type AllocatedConfig = NonNullable<NonNullable<Allocation['devices']>['config']>[number];

type DeviceClaim = NonNullable<Claim['spec']['devices']>;
export type DeviceRequest = NonNullable<DeviceClaim['requests']>[number];
export type ExactRequest = NonNullable<DeviceRequest['exactly']>;
export type DeviceConstraint = NonNullable<DeviceClaim['constraints']>[number];
export type NodeSelector = NonNullable<Slice['spec']['nodeSelector']>;
