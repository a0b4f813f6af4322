/** What a pod's status says about its ResourceClaims. */
import { type DeepReadonly, dns1123Label, dns1123Subdomain, type FieldPath } from '@periplus/apimachinery';
import type { IPodExtendedResourceClaimStatus } from 'kubernetes-models/v1/PodExtendedResourceClaimStatus';
import type { IPodResourceClaimStatus } from 'kubernetes-models/v1/PodResourceClaimStatus';
import { checkRequiredText, checkText, type Errors } from '../field-rules.ts';
import type { Pod } from './pod-type.ts';

type PodView = DeepReadonly<Pod>;

const OF_CONTAINER = 'must match the name of an entry in spec.initContainers.name or spec.containers.name';
const OF_REQUESTS =
  'must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests';

/** The claim that was made for extended resources, and which request of it is which container's. */
function checkExtended(
  errors: Errors,
  at: FieldPath,
  status: DeepReadonly<IPodExtendedResourceClaimStatus>,
  { initContainers = [], containers }: PodView['spec'],
): void {
  const mappings = status.requestMappings ?? [];
  if (mappings.length === 0) {
    errors.push(at.child('requestMappings').required('at least one request mapping is required'));
  }
  const byName = new Map([...containers, ...initContainers].map((container) => [container.name, container]));
  const seen = new Set<string>();
  mappings.forEach(({ containerName, resourceName, requestName }, i) => {
    const place = at.index('requestMappings', i);
    const container = byName.get(containerName);
    if (!container) errors.push(place.child('containerName').invalid(containerName, OF_CONTAINER));
    else if (container.resources?.requests?.[resourceName] === undefined) {
      errors.push(place.child('resourceName').invalid(resourceName, OF_REQUESTS));
    }
    for (const problem of dns1123Label(requestName)) {
      errors.push(at.child('requestName').invalid(requestName, problem));
    }
    const key = JSON.stringify([containerName, resourceName, requestName]);
    if (seen.has(key)) {
      for (const [field, value] of Object.entries({ containerName, resourceName, requestName })) {
        errors.push(place.child(field).duplicate(value));
      }
    }
    seen.add(key);
  });
  checkRequiredText(errors, at, 'resourceClaimName', status.resourceClaimName, dns1123Subdomain);
}

/** The claims that were made for entries of the spec. */
function checkMade(
  errors: Errors,
  at: FieldPath,
  made: readonly DeepReadonly<IPodResourceClaimStatus>[],
  { resourceClaims = [] }: PodView['spec'],
): void {
  const known = new Set(resourceClaims.map(({ name }) => name));
  const seen = new Set<string>();
  made.forEach(({ name, resourceClaimName }, i) => {
    const place = at.index('resourceClaimStatuses', i);
    if (!known.has(name)) {
      const detail = 'must match the name of an entry in `spec.resourceClaims`';
      errors.push(place.child('name').invalid(name, detail));
    }
    if (seen.has(name)) errors.push(place.child('name').duplicate(name));
    seen.add(name);
    checkText(errors, place, 'resourceClaimName', resourceClaimName, dns1123Subdomain);
  });
}

export function checkClaimStatuses(errors: Errors, at: FieldPath, { spec, status }: PodView): void {
  if (status?.resourceClaimStatuses) checkMade(errors, at, status.resourceClaimStatuses, spec);
  const extended = status?.extendedResourceClaimStatus;
  if (extended) checkExtended(errors, at.child('extendedResourceClaimStatus'), extended, spec);
}
