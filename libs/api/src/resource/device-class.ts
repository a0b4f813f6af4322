import type { IDeviceClass } from 'kubernetes-models/resource.k8s.io/v1/DeviceClass';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Stored } from '../stored.ts';

export type DeviceClass = Stored<IDeviceClass, 'spec'>;

/** https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#deviceclass */
export const deviceClass = defineKind<DeviceClass>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'DeviceClass',
  plural: 'deviceclasses',
  namespaced: false,
  answersRemoved: true,
  generation: true,
  columns: [nameColumn, ageColumn],
  setDefaults(deviceClass) {
    deviceClass.spec ??= {};
  },
});
