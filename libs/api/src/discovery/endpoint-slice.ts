import { isIPv6 } from 'node:net';
import {
  type DeepReadonly,
  dns1123Label,
  dns1123Subdomain,
  type FieldPath,
  ipAddress,
  labelValue,
  type NameRule,
  qualifiedName,
} from '@periplus/apimachinery';
import type { IEndpoint } from 'kubernetes-models/discovery.k8s.io/v1/Endpoint';
import type { IEndpointSlice } from 'kubernetes-models/discovery.k8s.io/v1/EndpointSlice';
import { warnOfAddress } from '../address-warnings.ts';
import { canonicalAddress } from '../addresses.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { sameValue } from '../equality.ts';
import { checkImmutable, checkOneOf, checkText, type Errors, warn } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import { specialAddressProblems } from '../special-addresses.ts';
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
const HINTS_MAX = 8;
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
/** They write addresses as they should be. */
const CAREFUL = ['endpointslice-controller.k8s.io', 'endpointslicemirroring-controller.k8s.io'];

/** Names with at least two parts; the dot at the end that marks a name as complete may be there. */
function checkName(errors: Errors, at: FieldPath, address: string): void {
  if (!address) {
    errors.push(at.required());
    return;
  }
  const name = address.replace(/\.$/, '');
  const problems = dns1123Subdomain(name);
  const labels = name.split('.');
  const long = labels.find((label) => dns1123Label(label).length > 0);
  if (problems.length > 0) errors.push(at.invalid(name, problems.join(',')));
  else if (labels.length < 2) {
    errors.push(at.invalid(name, 'should be a domain with at least two segments separated by dots'));
  } else if (long) errors.push(at.invalid(long, dns1123Label(long).join(',')));
}

function checkAddress(errors: Errors, list: FieldPath, i: number, address: string, type: 'IPv4' | 'IPv6'): void {
  const at = list.item(i);
  const problems = (type === 'IPv4' ? ipAddress : canonicalAddress)(address);
  for (const problem of problems) errors.push(at.invalid(address, problem));
  if (problems.length > 0) return;
  // Kubernetes reports this of the list.
  if (isIPv6(address) !== (type === 'IPv6')) errors.push(list.invalid(address, `must be an ${type} address`));
  for (const problem of specialAddressProblems(address)) errors.push(at.invalid(address, problem));
}

type Endpoint = DeepReadonly<IEndpoint>;

function checkEndpoint(errors: Errors, at: FieldPath, endpoint: Endpoint, type: string): void {
  const { addresses = [], nodeName, hostname, hints = {} } = endpoint;
  if (addresses.length === 0) errors.push(at.child('addresses').required('must contain at least 1 address'));
  if (addresses.length > ADDRESSES_MAX) errors.push(at.child('addresses').tooMany(addresses.length, ADDRESSES_MAX));
  addresses.forEach((address, i) => {
    if (type === 'FQDN') checkName(errors, at.index('addresses', i), address);
    else if (type === 'IPv4' || type === 'IPv6') checkAddress(errors, at.child('addresses'), i, address, type);
  });
  checkText(errors, at, 'nodeName', nodeName, dns1123Subdomain);
  checkText(errors, at, 'hostname', hostname, dns1123Label);
  checkHints(errors, at.child('hints'), 'forZones', hints.forZones, labelValue);
  checkHints(errors, at.child('hints'), 'forNodes', hints.forNodes, dns1123Subdomain);
}

function checkHints(
  errors: Errors,
  at: FieldPath,
  field: 'forNodes' | 'forZones',
  hints: readonly { readonly name: string }[] = [],
  rule: NameRule,
): void {
  if (hints.length > HINTS_MAX) {
    errors.push(at.child(field).tooMany(hints.length, HINTS_MAX));
    return;
  }
  hints.forEach(({ name }, i) => {
    const place = at.index(field, i).child('name');
    if (hints.findIndex((other) => other.name === name) < i) errors.push(place.duplicate(name));
    for (const problem of rule(name)) errors.push(place.invalid(name, problem));
  });
}

function checkPorts(errors: Errors, at: FieldPath, ports: NonNullable<DeepReadonly<EndpointSlice>['ports']>): void {
  if (ports.length > PORTS_MAX) {
    errors.push(at.child('ports').tooMany(ports.length, PORTS_MAX));
    return;
  }
  const names = new Set<string>();
  ports.forEach(({ name = '', protocol, appProtocol }, i) => {
    const place = at.index('ports', i);
    checkText(errors, place, 'name', name, dns1123Label);
    if (names.has(name)) errors.push(place.child('name').duplicate(name));
    names.add(name);
    checkOneOf(errors, place, 'protocol', protocol, PROTOCOLS);
    checkText(errors, place, 'appProtocol', appProtocol, qualifiedName);
  });
}

function checkEndpoints(errors: Errors, at: FieldPath, endpoints: readonly Endpoint[], type: string): void {
  if (endpoints.length > ENDPOINTS_MAX) {
    errors.push(at.child('endpoints').tooMany(endpoints.length, ENDPOINTS_MAX));
    return;
  }
  endpoints.forEach((endpoint, i) => {
    checkEndpoint(errors, at.index('endpoints', i), endpoint, type);
  });
}

/** Endpoints that were right once need not be mended to change something else. */
function check(
  errors: Errors,
  at: FieldPath,
  { addressType, endpoints, ports }: DeepReadonly<EndpointSlice>,
  old: DeepReadonly<EndpointSlice> | null,
): void {
  checkOneOf(errors, at, 'addressType', addressType, ADDRESS_TYPES);
  const found: Errors = [];
  checkEndpoints(found, at, endpoints ?? [], addressType);
  if (found.length > 0 && !(old && sameValue(endpoints, old.endpoints))) errors.push(...found);
  checkPorts(errors, at, ports ?? []);
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
      description: fieldText('discovery.k8s.io/v1.EndpointSlice.addressType'),
      of: (slice) => slice.addressType ?? '',
    },
    { name: 'Ports', type: 'string', description: fieldText('discovery.k8s.io/v1.EndpointSlice.ports'), of: portsOf },
    {
      name: 'Endpoints',
      type: 'string',
      description: fieldText('discovery.k8s.io/v1.EndpointSlice.endpoints'),
      of: endpointsOf,
    },
    ageColumn,
  ],
  check,
  checkUpdate: (errors, at, now, old) => checkImmutable(errors, at, 'addressType', now.addressType, old.addressType),
  warn(warnings, at, { metadata, addressType, endpoints }, old) {
    if (addressType === 'FQDN' && !old)
      warn(warnings, at.child('spec', 'addressType'), 'FQDN endpoints are deprecated');
    if (CAREFUL.includes(metadata.labels?.[MANAGED_BY] ?? '')) return;
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
