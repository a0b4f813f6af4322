import { type DeepReadonly, dns1123Label, type FieldPath } from '@periplus/apimachinery';
import type { IResourceClaim } from 'kubernetes-models/v1/ResourceClaim';
import { checkText, type Errors } from '../field-rules.ts';

type Reference = DeepReadonly<IResourceClaim>;

/** What `reference` refers to and one of `earlier` does, too: a claim includes all of its requests. */
function repeated({ name, request }: Reference, earlier: readonly Reference[]): string | undefined {
  const same = earlier.filter((other) => other.name === name);
  if (same.length === 0) return undefined;
  if (!request || same.some((other) => !other.request)) return name;
  return same.some((other) => other.request === request) ? `${name}/${request}` : undefined;
}

/** The `claims` of a container: which of the pod's `claimNames` it uses, or which of their requests. */
export function checkClaimReferences(
  errors: Errors,
  at: FieldPath,
  claims: readonly Reference[] | undefined,
  claimNames: readonly string[],
): void {
  claims?.forEach((reference, i) => {
    const place = at.index('claims', i);
    const { name, request } = reference;
    if (!name) {
      errors.push(place.required());
      return;
    }
    const again = repeated(reference, claims.slice(0, i));
    if (again) errors.push(place.duplicate(again));
    else checkText(errors, place, 'request', request, dns1123Label);
    if (claimNames.includes(name)) return;
    const known = claimNames.length === 0 ? ' which is empty' : `: ${claimNames.toSorted().join(', ')}`;
    errors.push(place.notFound(name, `must be one of the names in pod.spec.resourceClaims${known}`));
  });
}
