/** Claims, classes and slices of devices for tests. */
import type { DeviceClass, ResourceClaim, ResourceSlice } from '@periplus/api';
import type { AllocatedDevice, Device, DeviceRequest, ExactRequest, Slice } from '../devices/resource-types.ts';

export const DRIVER = 'gpu.example.com';

export const makeClass = (name: string, spec: object = {}): DeviceClass =>
  ({ apiVersion: 'resource.k8s.io/v1', kind: 'DeviceClass', metadata: { name }, spec }) as unknown as DeviceClass;

export const celSelector = (expression: string) => ({ cel: { expression } });

/** A request for one device of the class `gpu`. */
export const asking = (name: string, exactly: Partial<ExactRequest> = {}): DeviceRequest => ({
  name,
  exactly: { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 1, ...exactly },
});

export const makeClaim = (
  name: string,
  devices: object = { requests: [asking('r')] },
  status?: object,
): ResourceClaim =>
  ({
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: { name, namespace: 'default', uid: `uid-${name}`, resourceVersion: '1' },
    spec: { devices },
    ...(status && { status }),
  }) as unknown as ResourceClaim;

/** A pool that is one slice; for the node `node` unless `spec` says otherwise. */
export function makeSlice(
  node: string,
  devices: readonly (string | Device)[],
  spec: Partial<Slice['spec']> = {},
): ResourceSlice {
  const isPlaced = spec.allNodes || spec.nodeSelector || spec.perDeviceNodeSelection || spec.sharedCounters;
  return {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceSlice',
    metadata: { name: `${spec.driver ?? DRIVER}-${node}` },
    spec: {
      driver: DRIVER,
      pool: { name: node, generation: 1, resourceSliceCount: 1 },
      ...(!isPlaced && { nodeName: node }),
      ...(devices.length > 0 && { devices: devices.map((one) => (typeof one === 'string' ? { name: one } : one)) }),
      ...spec,
    },
  } as unknown as ResourceSlice;
}

export const resultOf = (pool: string, device: string, more: Partial<AllocatedDevice> = {}): AllocatedDevice => ({
  ...{ request: 'r', driver: DRIVER, pool, device },
  ...more,
});

/** What the status of a claim says that has these devices, for pods of these names. */
export const allocated = (results: readonly AllocatedDevice[], node: string | null, ...pods: string[]) => ({
  allocation: {
    devices: { results },
    ...(node !== null && {
      nodeSelector: {
        nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }],
      },
    }),
  },
  ...(pods.length > 0 && {
    reservedFor: pods.map((name) => ({ resource: 'pods', name, uid: `uid-${name}` })),
  }),
});
