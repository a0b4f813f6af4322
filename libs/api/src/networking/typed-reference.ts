import { type DeepReadonly, dns1123Subdomain, type FieldPath, pathSegment } from '@periplus/apimachinery';
import type { Errors } from '../field-rules.ts';

interface TypedReference {
  apiGroup?: string | null;
  kind: string;
  name: string;
}

/** A reference to an object of any kind, as Ingress and IngressClass have it. */
export function checkTypedReference(
  errors: Errors,
  at: FieldPath,
  { apiGroup, kind, name }: DeepReadonly<TypedReference>,
): void {
  if (typeof apiGroup === 'string') {
    for (const problem of dns1123Subdomain(apiGroup)) errors.push(at.child('apiGroup').invalid(apiGroup, problem));
  }
  for (const [field, value] of [
    ['kind', kind],
    ['name', name],
  ] as const) {
    if (!value) errors.push(at.child(field).required(`${field} is required`));
    else for (const problem of pathSegment(value)) errors.push(at.child(field).invalid(value, problem));
  }
}
