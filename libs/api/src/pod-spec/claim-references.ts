import { type DeepReadonly, dns1123Label, type FieldPath } from '@periplus/apimachinery';
import type { IResourceClaim } from 'kubernetes-models/v1/ResourceClaim';
import { checkText, type Errors } from '../field-rules.ts';

type Reference = DeepReadonly<IResourceClaim>;

/** What `reference` refers to and one that was seen does, too: a claim includes all of its requests. */
function repeated({ name, request = '' }: Reference, seen: Map<string, Set<string>>): string | undefined {
  const requests = seen.get(name) ?? new Set();
  const isWhole = requests.has('') || (request === '' && requests.size > 0);
  const again = isWhole ? name : requests.has(request) ? `${name}/${request}` : undefined;
  seen.set(name, requests.add(request));
  return again;
}

/** The `claims` of a container: which of the pod's `claimNames` it uses, or which of their requests. */
export function checkClaimReferences(
  errors: Errors,
  at: FieldPath,
  claims: readonly Reference[] | undefined,
  claimNames: readonly string[],
): void {
  const known = new Set(claimNames);
  const seen = new Map<string, Set<string>>();
  claims?.forEach((reference, i) => {
    const place = at.index('claims', i);
    const { name, request } = reference;
    if (!name) {
      errors.push(place.required());
      return;
    }
    const again = repeated(reference, seen);
    if (again) errors.push(place.duplicate(again));
    else checkText(errors, place, 'request', request, dns1123Label);
    if (known.has(name)) return;
    const names = known.size === 0 ? ' which is empty' : `: ${[...known].sort().join(', ')}`;
    errors.push(place.notFound(name, `must be one of the names in pod.spec.resourceClaims${names}`));
  });
}
