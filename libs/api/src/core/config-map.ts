import { configMapKey, type DeepReadonly, type FieldPath } from '@periplus/apimachinery';
import type { IConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Errors } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import type { Stored } from '../stored.ts';
import { checkFrozen, DATA_BYTES_MAX, decodedLength } from './frozen-data.ts';

export type ConfigMap = Stored<IConfigMap>;

function check(errors: Errors, at: FieldPath, { data, binaryData }: DeepReadonly<ConfigMap>): void {
  let bytes = 0;
  for (const key in data) {
    for (const problem of configMapKey(key)) errors.push(at.key('data', key).invalid(key, problem));
    if (binaryData && Object.hasOwn(binaryData, key)) {
      errors.push(at.key('data', key).invalid(key, 'duplicate of key present in binaryData'));
    }
    bytes += Buffer.byteLength(data[key]!);
  }
  for (const key in binaryData) {
    for (const problem of configMapKey(key)) errors.push(at.key('binaryData', key).invalid(key, problem));
    bytes += decodedLength(binaryData[key]!);
  }
  if (bytes > DATA_BYTES_MAX) errors.push(at.tooLong(DATA_BYTES_MAX));
}

/** https://kubernetes.io/docs/concepts/configuration/configmap/ */
export const configMap = defineKind<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  namespaced: true,
  columns: [
    nameColumn,
    {
      name: 'Data',
      type: 'string',
      description: fieldText('v1.ConfigMap.data'),
      of: ({ data = {}, binaryData = {} }) => Object.keys(data).length + Object.keys(binaryData).length,
    },
    ageColumn,
  ],
  check,
  checkUpdate: (errors, at, now, old) => checkFrozen(errors, at, now, old, ['data', 'binaryData']),
});
