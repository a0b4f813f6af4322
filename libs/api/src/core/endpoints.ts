import { isIPv6 } from 'node:net';
import {
  type DeepReadonly,
  dns1123Label,
  dns1123Subdomain,
  type FieldPath,
  ipAddress,
  portNumber,
  qualifiedName,
} from '@periplus/apimachinery';
import type { IEndpointAddress } from 'kubernetes-models/v1/EndpointAddress';
import type { IEndpointPort } from 'kubernetes-models/v1/EndpointPort';
import type { IEndpoints } from 'kubernetes-models/v1/Endpoints';
import { warnOfAddress } from '../address-warnings.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { sameValue } from '../equality.ts';
import { checkOneOf, checkText, type Errors } from '../field-rules.ts';
import { fieldText } from '../field-text.ts';
import { specialAddressProblems } from '../special-addresses.ts';
import type { Stored } from '../stored.ts';

export type Endpoints = Stored<IEndpoints>;

const SHOWN_MAX = 3;
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

const withPort = (ip: string, port: number): string => (isIPv6(ip) ? `[${ip}]:${port}` : `${ip}:${port}`);

function endpointsOf({ subsets = [] }: DeepReadonly<Endpoints>): string {
  if (subsets.length === 0) return '<none>';
  const all = subsets.flatMap(({ addresses = [], ports = [] }) => {
    const ips = addresses.map(({ ip }) => ip);
    return ports.length === 0 ? ips : ports.flatMap(({ port }) => ips.map((ip) => withPort(ip, port)));
  });
  const shown = all.slice(0, SHOWN_MAX).join(',');
  return all.length > SHOWN_MAX ? `${shown} + ${all.length - SHOWN_MAX} more...` : shown;
}

function checkAddress(errors: Errors, at: FieldPath, address: DeepReadonly<IEndpointAddress>): void {
  const refuse = (problem: string): number => errors.push(at.child('ip').invalid(address.ip, problem));
  ipAddress(address.ip).forEach(refuse);
  checkText(errors, at, 'hostname', address.hostname, dns1123Label);
  checkText(errors, at, 'nodeName', address.nodeName, dns1123Subdomain);
  specialAddressProblems(address.ip).forEach(refuse);
}

function checkPort(errors: Errors, at: FieldPath, port: DeepReadonly<IEndpointPort>, needsName: boolean): void {
  if (needsName && !port.name) errors.push(at.child('name').required());
  checkText(errors, at, 'name', port.name, dns1123Label);
  for (const problem of portNumber(port.port)) errors.push(at.child('port').invalid(port.port, problem));
  checkOneOf(errors, at, 'protocol', port.protocol, PROTOCOLS);
  checkText(errors, at, 'appProtocol', port.appProtocol, qualifiedName);
}

/** What was right once need not be mended to change something else. */
function check(
  errors: Errors,
  at: FieldPath,
  { subsets = [] }: DeepReadonly<Endpoints>,
  old: DeepReadonly<Endpoints> | null,
): void {
  const found: Errors = [];
  checkSubsets(found, at, subsets);
  if (found.length > 0 && !(old && sameValue(subsets, old.subsets))) errors.push(...found);
}

function checkSubsets(errors: Errors, at: FieldPath, subsets: NonNullable<DeepReadonly<Endpoints>['subsets']>): void {
  subsets.forEach(({ addresses = [], notReadyAddresses = [], ports = [] }, i) => {
    const place = at.index('subsets', i);
    if (addresses.length === 0 && notReadyAddresses.length === 0) {
      errors.push(place.required('must specify `addresses` or `notReadyAddresses`'));
    }
    addresses.forEach((address, position) => {
      checkAddress(errors, place.index('addresses', position), address);
    });
    notReadyAddresses.forEach((address, position) => {
      checkAddress(errors, place.index('notReadyAddresses', position), address);
    });
    ports.forEach((port, position) => {
      checkPort(errors, place.index('ports', position), port, ports.length > 1);
    });
  });
}

/** What EndpointSlices replace. https://kubernetes.io/docs/concepts/services-networking/service/#endpoints */
export const endpoints = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  shortNames: ['ep'],
  namespaced: true,
  createdByUpdate: true,
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  columns: [
    nameColumn,
    { name: 'Endpoints', type: 'string', description: fieldText('v1.Endpoints.subsets'), of: endpointsOf },
    ageColumn,
  ],
  check,
  warn(warnings, at, { subsets = [] }) {
    subsets.forEach((subset, i) => {
      for (const list of ['addresses', 'notReadyAddresses'] as const) {
        subset[list]?.forEach(({ ip }, position) => {
          warnOfAddress(warnings, at.index('subsets', i).index(list, position).child('ip'), ip);
        });
      }
    });
  },
  setDefaults({ subsets = [] }) {
    for (const { ports = [] } of subsets) for (const port of ports) port.protocol ||= 'TCP';
  },
});
