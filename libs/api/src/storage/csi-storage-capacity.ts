import { dns1123Subdomain, parseQuantity, validateLabelSelector } from '@periplus/apimachinery';
import type { ICSIStorageCapacity } from 'kubernetes-models/storage.k8s.io/v1/CSIStorageCapacity';
import { nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { DEPRECATED_NODE_LABELS } from '../deprecated-node-labels.ts';
import { checkImmutable, checkNonNegativeQuantity, warn } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import type { Stored } from '../stored.ts';

export type CSIStorageCapacity = Stored<ICSIStorageCapacity>;

/** https://kubernetes.io/docs/concepts/storage/storage-capacity/ */
export const csiStorageCapacity = defineKind<CSIStorageCapacity>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  plural: 'csistoragecapacities',
  namespaced: true,
  updatedByVersionOnly: true,
  columns: [
    nameColumn,
    {
      name: 'StorageClassName',
      type: 'string',
      description: fieldText('storage.k8s.io/v1.CSIStorageCapacity.storageClassName'),
      of: ({ storageClassName }) => storageClassName ?? '',
    },
    {
      name: 'Capacity',
      type: 'string',
      description: fieldText('storage.k8s.io/v1.CSIStorageCapacity.capacity'),
      of: ({ capacity }) => (capacity === undefined ? '<unset>' : parseQuantity(capacity).toString()),
    },
  ],
  check(errors, at, { nodeTopology, storageClassName, capacity }) {
    errors.push(...validateLabelSelector(nodeTopology, at.child('nodeTopology')));
    for (const problem of dns1123Subdomain(storageClassName)) {
      errors.push(at.child('storageClassName').invalid(storageClassName, problem));
    }
    if (capacity !== undefined) checkNonNegativeQuantity(errors, at.child('capacity'), capacity);
  },
  checkUpdate(errors, at, now, old) {
    checkImmutable(errors, at, 'nodeTopology', now.nodeTopology, old.nodeTopology);
    checkImmutable(errors, at, 'storageClassName', now.storageClassName, old.storageClassName);
  },
  warn(warnings, at, { nodeTopology }) {
    const place = at.child('nodeTopology');
    nodeTopology?.matchExpressions?.forEach(({ key }, i) => {
      const why = DEPRECATED_NODE_LABELS.get(key);
      if (why) warn(warnings, place.index('matchExpressions', i).child('key'), `${key} is ${why}`);
    });
    for (const label in nodeTopology?.matchLabels) {
      const why = DEPRECATED_NODE_LABELS.get(label);
      if (why) warn(warnings, place.child('matchLabels', label), why);
    }
  },
  setDefaults(capacity) {
    capacity.storageClassName ??= '';
  },
});
