import type { DeepReadonly, FieldPath } from '@periplus/apimachinery';
import type { IDeviceClass } from 'kubernetes-models/resource.k8s.io/v1/DeviceClass';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { sameValue } from '../equality.ts';
import type { Errors } from '../field-rules.ts';
import { isExtended } from '../resource-names.ts';
import type { Stored } from '../stored.ts';
import { checkList } from './bounded-lists.ts';
import { CONFIGS_MAX } from './limits.ts';
import { checkConfiguration } from './opaque.ts';
import { areTooMany, checkSelectors } from './selectors.ts';

export type DeviceClass = Stored<IDeviceClass, 'spec'>;

function checkOwnSelectors(errors: Errors, at: FieldPath, spec: DeepReadonly<DeviceClass>['spec']): void {
  if (!areTooMany(errors, at.child('selectors'), [spec])) checkSelectors(errors, at, spec.selectors);
}

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
    checkOwnSelectors(errors, at.child('spec'), spec);
  },
  checkUpdate(errors, at, { spec }, old) {
    if (!sameValue(spec.selectors, old.spec.selectors)) checkOwnSelectors(errors, at.child('spec'), spec);
  },
});
