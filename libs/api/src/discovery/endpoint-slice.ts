import {
  type DeepReadonly,
  dns1123Label,
  dns1123Subdomain,
  type FieldPath,
  portNumber,
  qualifiedName,
} from '@periplus/apimachinery';
import type { IEndpoint } from 'kubernetes-models/discovery.k8s.io/v1/Endpoint';
import type { IEndpointSlice } from 'kubernetes-models/discovery.k8s.io/v1/EndpointSlice';
import { warnOfAddress } from '../address-warnings.ts';
import { ipv4, ipv6, specialAddressProblems } from '../addresses.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { checkImmutable, checkOneOf, checkText, type Errors } from '../field-rules.ts';
import type { Stored } from '../stored.ts';

/** Lists of nothing are null. */
export type EndpointSlice = Omit<Stored<IEndpointSlice>, 'endpoints' | 'ports'> & {
  endpoints: IEndpointSlice['endpoints'] | null;
  ports?: IEndpointSlice['ports'] | null;
};

const SHOWN_MAX = 3;

/** The first three, and how many more there are. */
function listSome(items: readonly string[]): string {
  const shown = items.slice(0, SHOWN_MAX).join(',');
  return items.length > SHOWN_MAX ? `${shown} + ${items.length - SHOWN_MAX} more...` : shown || '<unset>';
}

function portsOf({ ports }: DeepReadonly<EndpointSlice>): string {
  return listSome((ports ?? []).map(({ port, name }) => String(port ?? name ?? '*')));
}

function endpointsOf({ endpoints }: DeepReadonly<EndpointSlice>): string {
  return listSome((endpoints ?? []).flatMap((endpoint) => endpoint.addresses));
}

const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const ENDPOINTS_MAX = 1000;
const ADDRESSES_MAX = 100;
const PORTS_MAX = 20_000;

function addressProblems(type: string, address: string): readonly string[] {
  if (type === 'FQDN') return dns1123Subdomain(address);
  const problems = type === 'IPv6' ? ipv6(address) : type === 'IPv4' ? ipv4(address) : [];
  return problems.length > 0 ? problems : specialAddressProblems(address);
}

function checkEndpoint(errors: Errors, at: FieldPath, endpoint: DeepReadonly<IEndpoint>, type: string): void {
  const { addresses = [], nodeName, hostname } = endpoint;
  if (addresses.length === 0) errors.push(at.child('addresses').required('must contain at least 1 address'));
  if (addresses.length > ADDRESSES_MAX) errors.push(at.child('addresses').tooMany(addresses.length, ADDRESSES_MAX));
  addresses.forEach((address, i) => {
    for (const problem of addressProblems(type, address)) {
      errors.push(at.index('addresses', i).invalid(address, problem));
    }
  });
  checkText(errors, at, 'nodeName', nodeName, dns1123Subdomain);
  checkText(errors, at, 'hostname', hostname, dns1123Label);
}

function checkPorts(errors: Errors, at: FieldPath, ports: NonNullable<DeepReadonly<EndpointSlice>['ports']>): void {
  if (ports.length > PORTS_MAX) errors.push(at.child('ports').tooMany(ports.length, PORTS_MAX));
  const names = new Set<string>();
  ports.forEach(({ name = '', port, protocol, appProtocol }, i) => {
    const place = at.index('ports', i);
    checkText(errors, place, 'name', name, dns1123Label);
    if (names.has(name)) errors.push(place.child('name').duplicate(name));
    names.add(name);
    checkOneOf(errors, place, 'protocol', protocol, PROTOCOLS);
    for (const problem of port === undefined ? [] : portNumber(port)) {
      errors.push(place.child('port').invalid(port, problem));
    }
    checkText(errors, place, 'appProtocol', appProtocol, qualifiedName);
  });
}

function check(errors: Errors, at: FieldPath, slice: DeepReadonly<EndpointSlice>): void {
  const { addressType } = slice;
  const endpoints = slice.endpoints ?? [];
  checkOneOf(errors, at, 'addressType', addressType, ADDRESS_TYPES);
  if (endpoints.length > ENDPOINTS_MAX) errors.push(at.child('endpoints').tooMany(endpoints.length, ENDPOINTS_MAX));
  endpoints.forEach((endpoint, i) => {
    checkEndpoint(errors, at.index('endpoints', i), endpoint, addressType);
  });
  checkPorts(errors, at, slice.ports ?? []);
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
  check,
  checkUpdate: (errors, at, now, old) => checkImmutable(errors, at, 'addressType', now.addressType, old.addressType),
  warn(warnings, at, { addressType, endpoints }) {
    if (addressType !== 'IPv6') return;
    endpoints?.forEach(({ addresses }, i) => {
      addresses.forEach((address, position) => {
        warnOfAddress(warnings, at.index('endpoints', i).index('addresses', position), address);
      });
    });
  },
  setDefaults(slice) {
    for (const port of slice.ports ?? []) {
      port.name ??= '';
      port.protocol ??= 'TCP';
    }
  },
});
