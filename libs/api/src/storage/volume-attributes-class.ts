import type { IVolumeAttributesClass } from 'kubernetes-models/storage.k8s.io/v1/VolumeAttributesClass';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { sameValue } from '../equality.ts';
import { fieldText } from '../field-text.ts';
import type { Stored } from '../stored.ts';
import { checkParameters, checkProvisioner } from './parameters.ts';

/** Keeps a class while volumes have it, or claims ask for it. */
export const VAC_PROTECTION = 'kubernetes.io/vac-protection';

export type VolumeAttributesClass = Stored<IVolumeAttributesClass>;

/** https://kubernetes.io/docs/concepts/storage/volume-attributes-classes/ */
export const volumeAttributesClass = defineKind<VolumeAttributesClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  plural: 'volumeattributesclasses',
  shortNames: ['vac'],
  namespaced: false,
  answersRemoved: true,
  columns: [
    nameColumn,
    {
      name: 'DriverName',
      type: 'string',
      description: fieldText('storage.k8s.io/v1.VolumeAttributesClass.driverName'),
      of: ({ driverName }) => driverName ?? '',
    },
    ageColumn,
  ],
  check(errors, at, { driverName, parameters }) {
    checkProvisioner(errors, at, 'driverName', driverName);
    checkParameters(errors, at, parameters);
    if (Object.keys(parameters ?? {}).length === 0) {
      errors.push(at.child('parameters').required('must contain at least one key/value pair'));
    }
  },
  checkUpdate(errors, at, now, old) {
    for (const field of ['driverName', 'parameters'] as const) {
      if (sameValue(now[field], old[field])) continue;
      errors.push(at.child(field).forbidden(`updates to ${field} are forbidden.`));
    }
  },
  setDefaults(volumeAttributesClass) {
    volumeAttributesClass.driverName ??= '';
  },
});
