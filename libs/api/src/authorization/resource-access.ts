/** What the three reviews of access share. */
import type { DeepReadonly, FieldPath, KubeObject, ObjectMeta } from '@periplus/apimachinery';
import type { INonResourceAttributes } from 'kubernetes-models/authorization.k8s.io/v1/NonResourceAttributes';
import type { IResourceAttributes } from 'kubernetes-models/authorization.k8s.io/v1/ResourceAttributes';
import type { Errors } from '../field-rules.ts';

/** Either about a resource or about a path. */
export interface AccessSpec {
  resourceAttributes?: IResourceAttributes;
  nonResourceAttributes?: INonResourceAttributes;
}

export function checkAccess(errors: Errors, at: FieldPath, spec: DeepReadonly<AccessSpec>): void {
  const { resourceAttributes, nonResourceAttributes } = spec;
  if (resourceAttributes && nonResourceAttributes) {
    const why = 'cannot be specified in combination with resourceAttributes';
    errors.push(at.child('nonResourceAttributes').invalid(nonResourceAttributes, why));
  }
  if (!resourceAttributes && !nonResourceAttributes) {
    const why = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
    errors.push(at.child('resourceAttributes').invalid(null, why));
  }
}

/** Reviews may also be about somebody else. */
export function checkSubject(
  errors: Errors,
  at: FieldPath,
  { user = '', groups = [] }: DeepReadonly<{ user?: string; groups?: string[] }>,
): void {
  if (user === '' && groups.length === 0) {
    errors.push(at.child('user').invalid(user, 'at least one of user or group must be specified'));
  }
}

/** A review has no name; what is not stored has no metadata but what `allowed` says. */
export function checkNoMetadata(
  errors: Errors,
  at: FieldPath,
  { metadata }: DeepReadonly<KubeObject>,
  allowed: readonly (keyof ObjectMeta)[],
  why: string,
): void {
  const names = Object.keys(metadata) as (keyof ObjectMeta)[];
  if (names.every((name) => name === 'managedFields' || allowed.includes(name))) return;
  errors.push(at.child('metadata').invalid(metadata, why));
}
