/** How EndpointSlices say whose they are. https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#management */
import type { EndpointSlice } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';

export const SERVICE_LABEL = 'kubernetes.io/service-name';
export const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by';
export const HEADLESS_LABEL = 'service.kubernetes.io/headless';
/** Makes the slices of Services that have a selector. */
export const SLICE_MANAGER = 'endpointslice-controller.k8s.io';

/** Whether the slice is one of a Service with a selector, and stays. */
export const isManagedSlice = ({ metadata }: DeepReadonly<EndpointSlice>): boolean =>
  metadata.labels?.[MANAGED_BY_LABEL] === SLICE_MANAGER && !metadata.deletionTimestamp;
