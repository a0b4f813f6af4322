import { type DeepReadonly, type FieldPath, qualifiedName } from '@periplus/apimachinery';
import type { IStorageClass } from 'kubernetes-models/storage.k8s.io/v1/StorageClass';
import type { ITopologySelectorTerm } from 'kubernetes-models/v1/TopologySelectorTerm';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { DEPRECATED_NODE_LABELS } from '../deprecated-node-labels.ts';
import { sameValue } from '../equality.ts';
import { checkImmutable, checkOneOf, type Errors, warn } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import type { Stored } from '../stored.ts';
import { checkParameters, checkProvisioner } from './parameters.ts';

export type StorageClass = Stored<IStorageClass>;

type Term = DeepReadonly<ITopologySelectorTerm>;

const RECLAIM_POLICIES = ['Delete', 'Retain'];
const BINDING_MODES = ['Immediate', 'WaitForFirstConsumer'];
const DEFAULT_ANNOTATIONS = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

/** Whether claims that name no class get this one. https://kubernetes.io/docs/concepts/storage/storage-classes/#default-storageclass */
export const isDefaultStorageClass = ({ metadata: { annotations } }: DeepReadonly<StorageClass>): boolean =>
  DEFAULT_ANNOTATIONS.some((name) => annotations?.[name] === 'true');

function checkTerm(errors: Errors, at: FieldPath, { matchLabelExpressions = [] }: Term): void {
  const keys = new Set<string>();
  matchLabelExpressions.forEach(({ key, values = [] }, i) => {
    const place = at.index('matchLabelExpressions', i);
    if (values.length === 0) errors.push(place.child('values').required());
    const seen = new Set<string>();
    values.forEach((value, position) => {
      if (seen.has(value)) errors.push(place.index('values', position).duplicate(value));
      seen.add(value);
    });
    for (const problem of qualifiedName(key)) errors.push(place.child('key').invalid(key, problem));
    if (keys.has(key)) errors.push(place.child('key').duplicate(key));
    keys.add(key);
  });
}

/** What a term selects, however it is written down. */
const meaningOf = ({ matchLabelExpressions = [] }: Term): Record<string, string[]> =>
  Object.fromEntries(matchLabelExpressions.map(({ key, values = [] }) => [key, [...values].sort()]));

function checkTopologies(errors: Errors, at: FieldPath, terms: readonly Term[] = []): void {
  const place = at.child('allowedTopologies');
  const before: Record<string, string[]>[] = [];
  terms.forEach((term, i) => {
    checkTerm(errors, place.item(i), term);
    const meaning = meaningOf(term);
    if (before.some((other) => sameValue(other, meaning))) {
      errors.push(place.item(i).child('matchLabelExpressions').duplicate(''));
    }
    before.push(meaning);
  });
}

/** https://kubernetes.io/docs/concepts/storage/storage-classes/ */
export const storageClass = defineKind<StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  shortNames: ['sc'],
  namespaced: false,
  answersRemoved: true,
  columns: [
    {
      ...nameColumn,
      of: (storageClass) => nameColumn.of(storageClass, 0) + (isDefaultStorageClass(storageClass) ? ' (default)' : ''),
    },
    {
      name: 'Provisioner',
      type: 'string',
      description: fieldText('storage.k8s.io/v1.StorageClass.provisioner'),
      of: ({ provisioner }) => provisioner,
    },
    {
      name: 'ReclaimPolicy',
      type: 'string',
      description: fieldText('storage.k8s.io/v1.StorageClass.reclaimPolicy'),
      of: ({ reclaimPolicy = 'Delete' }) => reclaimPolicy,
    },
    {
      name: 'VolumeBindingMode',
      type: 'string',
      description: fieldText('storage.k8s.io/v1.StorageClass.volumeBindingMode'),
      of: ({ volumeBindingMode = 'Immediate' }) => volumeBindingMode,
    },
    {
      name: 'AllowVolumeExpansion',
      type: 'string',
      description: fieldText('storage.k8s.io/v1.StorageClass.allowVolumeExpansion'),
      of: ({ allowVolumeExpansion = false }) => allowVolumeExpansion,
    },
    ageColumn,
  ],
  check(errors, at, { provisioner, parameters, reclaimPolicy, volumeBindingMode, allowedTopologies }) {
    checkProvisioner(errors, at, 'provisioner', provisioner);
    checkParameters(errors, at, parameters);
    if (reclaimPolicy) checkOneOf(errors, at, 'reclaimPolicy', reclaimPolicy, RECLAIM_POLICIES);
    checkOneOf(errors, at, 'volumeBindingMode', volumeBindingMode, BINDING_MODES);
    checkTopologies(errors, at, allowedTopologies);
  },
  checkUpdate(errors, at, now, old) {
    for (const field of ['parameters', 'provisioner', 'reclaimPolicy'] as const) {
      if (sameValue(now[field], old[field])) continue;
      errors.push(at.child(field).forbidden(`updates to ${field} are forbidden.`));
    }
    checkImmutable(errors, at, 'volumeBindingMode', now.volumeBindingMode, old.volumeBindingMode);
  },
  warn(warnings, at, { allowedTopologies }) {
    allowedTopologies?.forEach(({ matchLabelExpressions }, i) => {
      matchLabelExpressions?.forEach(({ key }, position) => {
        const why = DEPRECATED_NODE_LABELS.get(key);
        const place = at.index('allowedTopologies', i).index('matchLabelExpressions', position);
        if (why) warn(warnings, place, why);
      });
    });
  },
  setDefaults(storageClass) {
    storageClass.provisioner ??= '';
    storageClass.reclaimPolicy ??= 'Delete';
    storageClass.volumeBindingMode ??= 'Immediate';
  },
});
