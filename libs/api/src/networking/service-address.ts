/** How the addresses of Services are told to the cluster: by IPAddresses that refer to them. */

import { isIPv6 } from 'node:net';
import type { DeepReadonly, ObjectMeta } from '@periplus/apimachinery';
import type { Service } from '../core/service-type.ts';
import type { IPAddress } from './ip-address.ts';

const IP_FAMILY = 'ipaddress.kubernetes.io/ip-family';
const MANAGED_BY = 'ipaddress.kubernetes.io/managed-by';
const ALLOCATOR = 'ipallocator.k8s.io';
const RESOURCE = 'services';

const labelsOf = (address: string): Record<string, string> => ({
  [IP_FAMILY]: isIPv6(address) ? 'IPv6' : 'IPv4',
  [MANAGED_BY]: ALLOCATOR,
});

/** The cluster IPs that a service holds. */
export const addressesOf = ({ spec }: DeepReadonly<Service>): readonly string[] =>
  spec.type === 'ExternalName' ? [] : (spec.clusterIPs ?? []).filter((address) => address !== 'None');

/** The IPAddress of a cluster IP of the service. */
export const addressOfService = (address: string, { namespace, name }: DeepReadonly<ObjectMeta>): IPAddress => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IPAddress',
  metadata: { name: address, labels: labelsOf(address) },
  spec: { parentRef: { resource: RESOURCE, namespace, name: name! } },
});

/** Whether it was made for a service, and is not somebody's own. */
export const isAllocatedAddress = ({ metadata }: DeepReadonly<IPAddress>): boolean =>
  metadata.labels?.[MANAGED_BY] === ALLOCATOR;

/** Whether it says all that the IPAddress of a service has to say besides whose it is. */
export const hasAllocatorLabels = ({ metadata }: DeepReadonly<IPAddress>): boolean =>
  Object.entries(labelsOf(metadata.name!)).every(([name, value]) => metadata.labels?.[name] === value);

/** The service that it refers to; undefined for anything else. */
export function serviceOfAddress({ spec }: DeepReadonly<IPAddress>): { namespace: string; name: string } | undefined {
  const { group, resource, namespace = '', name } = spec.parentRef ?? { resource: '', name: '' };
  return group || resource !== RESOURCE ? undefined : { namespace, name };
}
