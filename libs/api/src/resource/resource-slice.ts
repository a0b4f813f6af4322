import { type DeepReadonly, dns1123Subdomain, type FieldPath } from '@periplus/apimachinery';
import type { IResourceSlice } from 'kubernetes-models/resource.k8s.io/v1/ResourceSlice';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { checkImmutable, type Errors, warn } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import { checkNodeSelector } from '../pod-spec/affinity.ts';
import { checkDriverName } from '../storage/csi-driver-name.ts';
import type { Stored } from '../stored.ts';
import { checkUniqueList } from './bounded-lists.ts';
import { checkCounterSet, checkSliceDevice } from './device.ts';
import { checkName, checkPoolName } from './device-names.ts';
import { ADVANCED_DEVICES_MAX, COUNTER_SETS_MAX, DEVICES_MAX } from './limits.ts';

export type ResourceSlice = Stored<IResourceSlice, 'spec'>;

/** Takes out what stands behind feature gates that are off: lists as attributes, and resources of the node in devices. */
function dropDisabledFields({ spec }: ResourceSlice): void {
  for (const device of spec.devices ?? []) {
    delete device.nodeAllocatableResourceMappings;
    for (const attribute of Object.values(device.attributes ?? {})) {
      for (const list of ['bools', 'ints', 'strings', 'versions'] as const) delete attribute[list];
    }
  }
}

type Spec = DeepReadonly<ResourceSlice>['spec'];

function checkPool(errors: Errors, at: FieldPath, { name, resourceSliceCount, generation }: Spec['pool']): void {
  checkPoolName(errors, at.child('name'), name);
  if (resourceSliceCount <= 0) {
    errors.push(at.child('resourceSliceCount').invalid(resourceSliceCount, 'must be greater than zero'));
  }
  if (generation < 0) {
    errors.push(at.child('generation').invalid(generation, 'must be greater than or equal to zero'));
  }
}

const WHERE = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';

/** Which nodes have the devices is said in one way. */
function checkNodes(errors: Errors, at: FieldPath, spec: Spec): void {
  const { nodeName, nodeSelector, allNodes, perDeviceNodeSelection } = spec;
  if (nodeName === '') {
    errors.push(at.child('nodeName').invalid('', 'must be either unset or set to a non-empty string'));
  } else if (nodeName) checkName(errors, at.child('nodeName'), nodeName, dns1123Subdomain);
  if (nodeSelector) {
    checkNodeSelector(errors, at.child('nodeSelector'), nodeSelector);
    const terms = nodeSelector.nodeSelectorTerms;
    if (terms.length !== 1) {
      const place = at.child('nodeSelector', 'nodeSelectorTerms');
      errors.push(place.invalid(terms, 'must have exactly one node selector term'));
    }
  }
  for (const [field, value] of Object.entries({ allNodes, perDeviceNodeSelection })) {
    if (value === false) errors.push(at.child(field).invalid(false, 'must be either unset or set to true'));
  }
  const set = Object.entries({ nodeName, nodeSelector, allNodes, perDeviceNodeSelection }).filter(([, value]) => value);
  if (set.length === 0) errors.push(at.required(WHERE));
  if (set.length > 1) {
    const fields = set.map(([field]) => `\`${field}\``).join(', ');
    errors.push(at.invalid(`{${fields}}`, `${WHERE}, but multiple fields are set`));
  }
}

function checkSpec(errors: Errors, at: FieldPath, spec: Spec): void {
  const { devices, sharedCounters, perDeviceNodeSelection = false } = spec;
  checkDriverName(errors, at.child('driver'), spec.driver);
  checkPool(errors, at.child('pool'), spec.pool);
  checkNodes(errors, at, spec);
  if (sharedCounters && devices) errors.push(at.invalid('', 'only one of `sharedCounters` or `devices` is allowed'));
  const isAdvanced = devices?.some(({ taints, consumesCounters }) => taints?.length || consumesCounters?.length);
  const devicesMax = isAdvanced ? ADVANCED_DEVICES_MAX : DEVICES_MAX;
  const nameOf = ({ name }: { readonly name: string }): string => name;
  checkUniqueList(errors, at, 'devices', devices, devicesMax, nameOf, (_, place, device) => {
    checkSliceDevice(errors, place, device, perDeviceNodeSelection);
  });
  checkUniqueList(errors, at, 'sharedCounters', sharedCounters, COUNTER_SETS_MAX, nameOf, checkCounterSet);
}

/** https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#resourceslice */
export const resourceSlice = defineKind<ResourceSlice>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceSlice',
  plural: 'resourceslices',
  namespaced: false,
  answersRemoved: true,
  generation: true,
  columns: [
    nameColumn,
    {
      name: 'Node',
      type: 'string',
      description: fieldText('resource.k8s.io/v1.ResourceSliceSpec.nodeName'),
      of: ({ spec }) => spec.nodeName ?? '',
    },
    {
      name: 'Driver',
      type: 'string',
      description: fieldText('resource.k8s.io/v1.ResourceSliceSpec.driver'),
      of: ({ spec }) => spec.driver,
    },
    {
      name: 'Pool',
      type: 'string',
      description: fieldText('resource.k8s.io/v1.ResourcePool.name'),
      of: ({ spec }) => spec.pool.name,
    },
    ageColumn,
  ],
  selectableFields: {
    'spec.driver': ({ spec }) => spec.driver,
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
  },
  setDefaults(slice) {
    slice.spec ??= {} as ResourceSlice['spec'];
    slice.spec.driver ??= '';
    slice.spec.pool ??= { name: '', generation: 0, resourceSliceCount: 0 };
  },
  prepareForCreate: dropDisabledFields,
  prepareForUpdate: dropDisabledFields,
  check(errors, at, { spec }) {
    checkSpec(errors, at.child('spec'), spec);
  },
  checkUpdate(errors, at, { spec }, { spec: old }) {
    const place = at.child('spec');
    checkImmutable(errors, place.child('pool'), 'name', spec.pool.name, old.pool.name);
    for (const field of ['driver', 'nodeName'] as const) checkImmutable(errors, place, field, spec[field], old[field]);
  },
  warn(warnings, at, { spec: { driver } }) {
    if (driver === driver.toLowerCase()) return;
    const text = `driver names should be lowercase; ${JSON.stringify(driver)} contains uppercase characters`;
    warn(warnings, at.child('spec', 'driver'), text);
  },
});
