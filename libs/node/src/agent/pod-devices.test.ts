import type { ResourceClaim } from '@periplus/api';
import { expect, it } from 'vitest';
import type { Pod } from '../pod/pod-types.ts';
import { prepareDevices } from './pod-devices.ts';

const pod = (resourceClaims: Pod['spec']['resourceClaims'], status: Pod['status'] = {}): Pod => ({
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'ml', name: 'train', uid: 'u1' } },
  ...{ spec: { containers: [], resourceClaims }, status },
});
const claim = (status: ResourceClaim['status'], ownerUid?: string): ResourceClaim => {
  const owner = { apiVersion: 'v1', kind: 'Pod', name: 'train', uid: ownerUid ?? '', controller: true };
  const metadata = { namespace: 'ml', name: 'gpus', uid: 'c1', ownerReferences: ownerUid ? [owner] : [] };
  return {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata,
    spec: { devices: { requests: [] } },
    status,
  };
};
const reservedFor = [{ resource: 'pods', name: 'train', uid: 'u1' }];
const devicesOf = (driver: string) => ({
  devices: { results: [{ request: 'gpu', driver, pool: 'n1', device: 'gpu-0' }] },
});

/** What the event says, or undefined when the pod may start. */
async function saidOf(of: Pod, found?: ResourceClaim): Promise<string | undefined> {
  const read = async (name: string): Promise<ResourceClaim> => {
    if (!found) throw new Error(`resourceclaims.resource.k8s.io "${name}" not found`);
    return found;
  };
  try {
    await prepareDevices(of, read);
    return undefined;
  } catch (error) {
    return (error as Error).message.replace('Failed to prepare dynamic resources: prepare dynamic resources: ', '… ');
  }
}

const NAMED = [{ name: 'gpu', resourceClaimName: 'gpus' }];
const MADE = [{ name: 'gpu', resourceClaimTemplateName: 'one-gpu' }];
const TOLD = { resourceClaimStatuses: [{ name: 'gpu', resourceClaimName: 'gpus' }] };

it.each<[string, Pod, ResourceClaim | undefined, string | undefined]>([
  ['no claims', pod(undefined), undefined, undefined],
  ['a claim that is not made yet', pod(MADE), undefined, '… pod "ml/train": ResourceClaim not created yet'],
  ['a claim that is not needed', pod(MADE, { resourceClaimStatuses: [{ name: 'gpu' }] }), undefined, undefined],
  [
    'a claim that is not there',
    pod(NAMED),
    undefined,
    '… fetch ResourceClaim gpus: resourceclaims.resource.k8s.io "gpus" not found',
  ],
  [
    'a claim that was made for another',
    pod(MADE, TOLD),
    claim({ reservedFor, allocation: devicesOf('gpu.example.com') }, 'u2'),
    '… ResourceClaim ml/gpus was not created for Pod ml/train (Pod is not owner)',
  ],
  [
    'a claim that others may use',
    pod(NAMED),
    claim({ allocation: devicesOf('gpu.example.com') }),
    '… pod train (u1) is not allowed to use ResourceClaim gpus (c1)',
  ],
  ['a claim without devices yet', pod(NAMED), claim({ reservedFor }), '… ResourceClaim gpus: not allocated'],
  [
    'a claim with a device',
    pod(MADE, TOLD),
    claim({ reservedFor, allocation: devicesOf('gpu.example.com') }, 'u1'),
    '… DRA driver gpu.example.com is not registered',
  ],
  ['a claim that was served with no device', pod(NAMED), claim({ reservedFor, allocation: {} }), undefined],
  [
    'extended resources that are devices',
    pod(undefined, { extendedResourceClaimStatus: { resourceClaimName: 'gpus', requestMappings: [] } }),
    claim({ reservedFor, allocation: devicesOf('nic.example.com') }),
    '… DRA driver nic.example.com is not registered',
  ],
])('a pod with %s', async (_what, of, found, said) => {
  expect(await saidOf(of, found)).toBe(said);
});
