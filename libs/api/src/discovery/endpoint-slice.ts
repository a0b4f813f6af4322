import type { DeepReadonly } from '@periplus/apimachinery';
import type { IEndpointSlice } from 'kubernetes-models/discovery.k8s.io/v1/EndpointSlice';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Stored } from '../stored.ts';

export type EndpointSlice = Stored<IEndpointSlice>;

const SHOWN_MAX = 3;

const listSome = (items: readonly string[], total: number, whenEmpty: string): string => {
  if (items.length === 0) return whenEmpty;
  return total > items.length ? `${items.join(',')} + ${total - items.length} more...` : items.join(',');
};

function portsOf({ ports }: DeepReadonly<EndpointSlice>): string {
  const shown = (ports ?? []).slice(0, SHOWN_MAX).map(({ port, name }) => String(port ?? (name || '*')));
  return listSome(shown, ports?.length ?? 0, '<unset>');
}

function endpointsOf({ endpoints }: DeepReadonly<EndpointSlice>): string {
  const addresses = (endpoints ?? []).flatMap((endpoint) => endpoint.addresses);
  return listSome(addresses.slice(0, SHOWN_MAX), addresses.length, '<unset>');
}

/** https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/ */
export const endpointSlice = defineKind<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  namespaced: true,
  generation: true,
  columns: [
    nameColumn,
    {
      name: 'AddressType',
      type: 'string',
      description: 'Kind of the addresses',
      of: (slice) => slice.addressType ?? '',
    },
    { name: 'Ports', type: 'string', description: 'Ports of every endpoint', of: portsOf },
    { name: 'Endpoints', type: 'string', description: 'Addresses', of: endpointsOf },
    ageColumn,
  ],
  setDefaults(slice) {
    slice.endpoints ??= [];
    for (const port of slice.ports ?? []) {
      port.name ??= '';
      port.protocol ??= 'TCP';
    }
  },
});
