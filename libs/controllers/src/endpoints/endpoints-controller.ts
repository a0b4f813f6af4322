import {
  type EndpointSlice,
  type Endpoints,
  endpointSlice,
  endpoints,
  type Service,
  sameValue,
  service,
} from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { Command } from '@periplus/client';
import { defineController, idle, type ObjectRef, type Plan, watchRule } from '@periplus/reconcile';
import { addressTypesOf } from '../endpoint-slice/endpoints.ts';
import { HEADLESS_LABEL, isManagedSlice, SERVICE_LABEL } from '../endpoint-slice/slice-labels.ts';
import { subsetsOf } from './subsets.ts';

const MANAGED_BY_LABEL = 'endpoints.kubernetes.io/managed-by';
const MANAGER = 'endpoint-controller';
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity';
/** The whole object is written for each change, and few programs still read it. */
const REST_MS = 1_000;

const keyOfSlice = (slice: DeepReadonly<EndpointSlice> | null): ObjectRef[] => {
  const name = slice && isManagedSlice(slice) ? slice.metadata.labels?.[SERVICE_LABEL] : undefined;
  return name ? [{ namespace: slice?.metadata.namespace ?? '', name }] : [];
};

/**
 * Keeps the Endpoints of Services that have a selector, for programs that know no EndpointSlices. It says what those say:
 * pods are looked at once, for both.
 * https://kubernetes.io/docs/concepts/services-networking/service/#endpoints
 */
export const endpointsController = defineController<Service>({
  name: 'endpoint',
  for: service,
  watches: [
    watchRule(endpointSlice, (now, old) => keyOfSlice(now ?? old)),
    watchRule(endpoints, (now, old) => {
      const { namespace = '', name = '', labels } = (now ?? old)!.metadata;
      return labels?.[MANAGED_BY_LABEL] === MANAGER ? [{ namespace, name }] : [];
    }),
  ],
  restMs: REST_MS,
  reconcile({ namespace, name }, view) {
    const of = view.get(service, namespace, name);
    const present = view.get(endpoints, namespace, name);
    const hasSelector = Object.keys(of?.spec.selector ?? {}).length > 0;
    if (!of) return present?.metadata.labels?.[MANAGED_BY_LABEL] === MANAGER ? removal(present) : idle;
    if (!hasSelector || of.metadata.deletionTimestamp || of.spec.type === 'ExternalName') return idle;
    const [family] = addressTypesOf(of);
    const slices = view
      .owned(endpointSlice, of.metadata.uid ?? '')
      .filter((slice) => isManagedSlice(slice) && slice.addressType === family);
    return planEndpoints(of, slices, present);
  },
});

const target = ({ metadata }: DeepReadonly<Endpoints> | DeepReadonly<Service>) => ({
  kind: endpoints,
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
});

const removal = (present: DeepReadonly<Endpoints>): Plan => ({
  steps: [[{ ...target(present), verb: 'delete', ifUid: present.metadata.uid }]],
});

function planEndpoints(
  of: DeepReadonly<Service>,
  slices: readonly DeepReadonly<EndpointSlice>[],
  present: DeepReadonly<Endpoints> | undefined,
): Plan {
  // The slices of a Service that was not looked at yet are still to come.
  if (slices.length === 0) return idle;
  const { subsets, isTruncated } = subsetsOf(slices);
  const labels = {
    ...of.metadata.labels,
    [MANAGED_BY_LABEL]: MANAGER,
    ...(of.spec.clusterIP === 'None' && { [HEADLESS_LABEL]: '' }),
  };
  if (!present) {
    const { namespace, name } = of.metadata;
    const metadata = { namespace, name, labels, ...(isTruncated && { annotations: { [OVER_CAPACITY]: 'truncated' } }) };
    const object: Endpoints = { apiVersion: 'v1', kind: 'Endpoints', metadata, subsets };
    return { steps: [[{ ...target(of), verb: 'create', object }]] };
  }
  const { metadata } = present;
  const wasTruncated = metadata.annotations?.[OVER_CAPACITY] !== undefined;
  if (sameValue(present.subsets ?? [], subsets) && sameValue(metadata.labels, labels) && wasTruncated === isTruncated) {
    return idle;
  }
  const dropped = Object.keys(metadata.labels ?? {}).filter((label) => !(label in labels));
  const command: Command = {
    ...target(present),
    verb: 'patch',
    type: 'merge',
    ifUid: metadata.uid,
    ifResourceVersion: metadata.resourceVersion,
    patch: {
      subsets,
      metadata: {
        labels: { ...labels, ...Object.fromEntries(dropped.map((label) => [label, null])) },
        annotations: { [OVER_CAPACITY]: isTruncated ? 'truncated' : null },
      },
    },
  };
  return { steps: [[command]] };
}
