/** What a claim asks for. */
import { type DeepReadonly, dns1123Label, dns1123Subdomain, type FieldPath } from '@periplus/apimachinery';
import type { IDeviceConstraint } from 'kubernetes-models/resource.k8s.io/v1/DeviceConstraint';
import type { IDeviceRequest } from 'kubernetes-models/resource.k8s.io/v1/DeviceRequest';
import type { IDeviceSubRequest } from 'kubernetes-models/resource.k8s.io/v1/DeviceSubRequest';
import type { IExactDeviceRequest } from 'kubernetes-models/resource.k8s.io/v1/ExactDeviceRequest';
import { checkRequiredText, type Errors } from '../field-rules.ts';
import { checkUniqueList, itself } from './bounded-lists.ts';
import { checkFullyQualifiedName, checkName } from './device-names.ts';
import { REQUESTS_MAX, SUBREQUESTS_MAX } from './limits.ts';
import { checkSelectors } from './selectors.ts';
import { checkToleration } from './taints.ts';

type Request = DeepReadonly<IDeviceRequest>;

/** All that one may refer to: requests, and subrequests behind the name of theirs and a slash. */
export type RequestNames = ReadonlySet<string>;

export const requestNamesOf = (requests: readonly Request[]): RequestNames =>
  new Set(
    requests.flatMap(({ name, firstAvailable = [] }) => [name, ...firstAvailable.map((sub) => `${name}/${sub.name}`)]),
  );

const UNKNOWN = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";

export function checkRequestReference(errors: Errors, at: FieldPath, name: string, known: RequestNames): void {
  const parts = name.split('/');
  if (parts.length <= 2) for (const part of parts) checkName(errors, at, part, dns1123Label);
  if (!known.has(name)) errors.push(at.invalid(name, UNKNOWN));
}

/** The `requests` below `at`, to which a constraint or a configuration belongs. */
export function checkRequestReferences(
  errors: Errors,
  at: FieldPath,
  names: readonly string[] | undefined,
  known: RequestNames,
): void {
  checkUniqueList(errors, at, 'requests', names, REQUESTS_MAX, itself, (_, place, name) => {
    checkRequestReference(errors, place, name, known);
  });
}

function checkAllocation(
  errors: Errors,
  at: FieldPath,
  { allocationMode: mode, count = 0 }: DeepReadonly<IExactDeviceRequest | IDeviceSubRequest>,
): void {
  const place = at.child('count');
  if (mode === 'All') {
    if (count !== 0) errors.push(place.invalid(count, "must not be specified when allocationMode is 'All'"));
  } else if (mode === 'ExactCount') {
    if (count <= 0) errors.push(place.invalid(count, 'must be greater than zero'));
  } else errors.push(at.child('allocationMode').notSupported(mode ?? '', ['All', 'ExactCount']));
}

function checkDetails(
  errors: Errors,
  at: FieldPath,
  request: DeepReadonly<IExactDeviceRequest | IDeviceSubRequest>,
): void {
  checkRequiredText(errors, at, 'deviceClassName', request.deviceClassName, dns1123Subdomain);
  checkSelectors(errors, at, request.selectors);
  checkAllocation(errors, at, request);
  request.tolerations?.forEach((toleration, i) => {
    checkToleration(errors, at.index('tolerations', i), toleration);
  });
}

const ONE_OF = 'exactly one of `exactly` or `firstAvailable` is required';

export function checkRequest(errors: Errors, at: FieldPath, { name, exactly, firstAvailable = [] }: Request): void {
  checkName(errors, at.child('name'), name, dns1123Label);
  if (!exactly && firstAvailable.length === 0) errors.push(at.required(ONE_OF));
  else if (exactly && firstAvailable.length > 0) {
    errors.push(at.invalid(null, `${ONE_OF}, but multiple fields are set`));
  } else if (exactly) checkDetails(errors, at.child('exactly'), exactly);
  else {
    const nameOf = (sub: DeepReadonly<IDeviceSubRequest>): string => sub.name;
    checkUniqueList(errors, at, 'firstAvailable', firstAvailable, SUBREQUESTS_MAX, nameOf, (_, place, sub) => {
      checkName(errors, place.child('name'), sub.name, dns1123Label);
      checkDetails(errors, place, sub);
    });
  }
}

export function checkConstraint(
  errors: Errors,
  at: FieldPath,
  { requests, matchAttribute, distinctAttribute }: DeepReadonly<IDeviceConstraint>,
  known: RequestNames,
): void {
  checkRequestReferences(errors, at, requests, known);
  if (matchAttribute !== undefined) checkFullyQualifiedName(errors, at.child('matchAttribute'), matchAttribute);
  else if (distinctAttribute !== undefined) {
    checkFullyQualifiedName(errors, at.child('distinctAttribute'), distinctAttribute);
  } else {
    const detail = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';
    errors.push(at.required(detail));
  }
}
