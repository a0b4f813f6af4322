import type { IResourceSlice } from 'kubernetes-models/resource.k8s.io/v1/ResourceSlice';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Stored } from '../stored.ts';

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
    { name: 'Node', type: 'string', description: 'Node that has the devices', of: ({ spec }) => spec.nodeName ?? '' },
    { name: 'Driver', type: 'string', description: 'Driver of the devices', of: ({ spec }) => spec.driver },
    { name: 'Pool', type: 'string', description: 'Pool that the devices belong to', of: ({ spec }) => spec.pool.name },
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
});
