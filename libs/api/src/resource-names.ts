/** What a quantity may be of: CPU, memory, huge pages, devices, and what quotas count. */
import { type FieldPath, qualifiedName } from '@periplus/apimachinery';
import type { Errors } from './field-rules.ts';

export const HUGE_PAGES = 'hugepages-';
const REQUESTED_HUGE_PAGES = `requests.${HUGE_PAGES}`;
const CONTAINER_RESOURCES = ['cpu', 'memory', 'ephemeral-storage'];
/** Fractions of these make no sense. */
const COUNTED_RESOURCES = [
  'pods',
  'services',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
];
const QUOTA_RESOURCES = new Set([
  ...CONTAINER_RESOURCES,
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'requests.storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  ...COUNTED_RESOURCES,
]);

const isHugePages = (name: string): boolean => name.startsWith(HUGE_PAGES) || name.startsWith(REQUESTED_HUGE_PAGES);

const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');

/** Devices and the like, counted in whole units: `example.com/gpu`. */
export const isExtended = (name: string): boolean =>
  !isNative(name) && !name.startsWith('requests.') && qualifiedName(`requests.${name}`).length === 0;

/** Native resources may be promised beyond what there is, except huge pages. */
export const mayOvercommit = (name: string): boolean => isNative(name) && !name.startsWith(HUGE_PAGES);

/** Whether the resource comes in whole units only. */
export const isCounted = (name: string): boolean => isExtended(name) || COUNTED_RESOURCES.includes(name);

/** Whether a quota knows the resource by itself, without a group. */
export const isQuotaResource = (name: string): boolean => QUOTA_RESOURCES.has(name) || isHugePages(name);

/** Returns whether the name is well formed at all. */
export function checkResourceName(errors: Errors, at: FieldPath, name: string): boolean {
  const problems = qualifiedName(name);
  for (const problem of problems) errors.push(at.invalid(name, problem));
  if (problems.length > 0) return false;
  if (!name.includes('/') && name !== 'storage' && !isQuotaResource(name)) {
    errors.push(at.invalid(name, 'must be a standard resource type or fully qualified'));
  }
  return true;
}

export function checkContainerResourceName(errors: Errors, at: FieldPath, name: string): void {
  if (!checkResourceName(errors, at, name)) return;
  if (name.includes('/')) {
    if (!isNative(name) && !isExtended(name)) {
      errors.push(at.invalid(name, "doesn't follow extended resource name standard"));
    }
  } else if (!CONTAINER_RESOURCES.includes(name) && !name.startsWith(HUGE_PAGES)) {
    errors.push(at.invalid(name, 'must be a standard resource for containers'));
  }
}

export function checkQuotaResourceName(errors: Errors, at: FieldPath, name: string): void {
  if (!checkResourceName(errors, at, name)) return;
  if (!name.includes('/') && !isQuotaResource(name)) {
    errors.push(at.invalid(name, 'must be a standard resource for quota'));
  }
}
