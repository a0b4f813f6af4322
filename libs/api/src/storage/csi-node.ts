import { type DeepReadonly, type FieldPath, qualifiedName } from '@periplus/apimachinery';
import type { ICSINode } from 'kubernetes-models/storage.k8s.io/v1/CSINode';
import type { ICSINodeDriver } from 'kubernetes-models/storage.k8s.io/v1/CSINodeDriver';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { sameValue } from '../equality.ts';
import { checkNonNegative, type Errors } from '../field-rules.ts';
import type { Stored } from '../stored.ts';
import { checkDriverName } from './csi-driver-name.ts';

export type CSINode = Stored<ICSINode, 'spec'>;

type Driver = DeepReadonly<ICSINodeDriver>;

const NODE_ID_LENGTH_MAX = 192;

function checkDriver(errors: Errors, at: FieldPath, { name, nodeID, allocatable, topologyKeys }: Driver): void {
  checkDriverName(errors, at.child('name'), name);
  if (!nodeID) errors.push(at.child('nodeID').required());
  if (nodeID.length > NODE_ID_LENGTH_MAX) {
    errors.push(at.child('nodeID').invalid(nodeID, `must be ${NODE_ID_LENGTH_MAX} characters or less`));
  }
  checkNonNegative(errors, at.child('allocatable'), 'count', allocatable?.count);
  const seen = new Set<string>();
  for (const key of topologyKeys ?? []) {
    if (!key) errors.push(at.required());
    if (seen.has(key)) errors.push(at.duplicate(key));
    seen.add(key);
    for (const problem of qualifiedName(key)) errors.push(at.invalid(key, problem));
  }
}

function check(errors: Errors, root: FieldPath, { spec }: DeepReadonly<CSINode>): void {
  const names = new Set<string>();
  spec.drivers?.forEach((driver, i) => {
    const place = root.child('spec').index('drivers', i);
    checkDriver(errors, place, driver);
    if (names.has(driver.name)) errors.push(place.child('name').duplicate(driver.name));
    names.add(driver.name);
  });
}

const withoutLimits = ({ allocatable: _, ...rest }: Driver): Driver => rest;

/** What a driver has said about the node stays, but for how many volumes it can have. */
function checkUpdate(errors: Errors, root: FieldPath, now: DeepReadonly<CSINode>, old: DeepReadonly<CSINode>): void {
  for (const before of old.spec.drivers ?? []) {
    const same = now.spec.drivers?.filter(({ name }) => name === before.name) ?? [];
    if (same.length === 0 || same.some((after) => sameValue(withoutLimits(after), withoutLimits(before)))) continue;
    errors.push(root.child('spec', 'drivers').invalid(withoutLimits(same[0]!), 'field is immutable'));
  }
}

/** https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/csi-node-v1/ */
export const csiNode = defineKind<CSINode>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  plural: 'csinodes',
  namespaced: false,
  answersRemoved: true,
  updatedByVersionOnly: true,
  columns: [
    nameColumn,
    {
      name: 'Drivers',
      type: 'integer',
      description: 'Drivers indicates the number of CSI drivers registered on the node',
      of: ({ spec }) => spec.drivers?.length ?? 0,
    },
    ageColumn,
  ],
  check,
  checkUpdate,
  setDefaults(csiNode) {
    csiNode.spec ??= { drivers: null as never };
  },
});
