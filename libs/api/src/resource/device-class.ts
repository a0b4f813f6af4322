import type { IDeviceClass } from 'kubernetes-models/resource.k8s.io/v1/DeviceClass';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { sameValue } from '../equality.ts';
import { isExtended } from '../resource-names.ts';
import type { Stored } from '../stored.ts';
import { checkList } from './bounded-lists.ts';
import { CONFIGS_MAX } from './limits.ts';
import { checkConfiguration } from './opaque.ts';
import { checkSelectors } from './selectors.ts';

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
  check(errors, at, { spec }) {
    const place = at.child('spec');
    checkList(errors, place, 'config', spec.config, CONFIGS_MAX, checkConfiguration);
    const { extendedResourceName: name } = spec;
    if (name !== undefined && !isExtended(name)) {
      errors.push(place.child('extendedResourceName').invalid(name, 'must be a valid extended resource name'));
    }
  },
  checkNew(errors, at, { spec }) {
    checkSelectors(errors, at.child('spec'), spec.selectors);
  },
  checkUpdate(errors, at, { spec }, old) {
    if (!sameValue(spec.selectors, old.spec.selectors)) checkSelectors(errors, at.child('spec'), spec.selectors);
  },
});
