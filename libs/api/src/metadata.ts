/** The rules of `metadata`. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/ */
import {
  type DeepReadonly,
  dns1123Label,
  type FieldPath,
  type NameRule,
  type ObjectMeta,
  type OwnerReference,
  qualifiedName,
  validateLabels,
} from '@periplus/apimachinery';
import { checkImmutable, checkNonNegative, type Errors } from './field-rules.ts';

type Metadata = DeepReadonly<ObjectMeta>;

const ANNOTATIONS_BYTES_MAX = 256 * 1024;
/** Finalizers without a prefix are Kubernetes' own. */
const STANDARD_FINALIZERS = ['foregroundDeletion', 'kubernetes', 'orphan'];
/** What the server sets once and nobody changes. */
const IMMUTABLE = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;

/** A prefix may end in a dash: the rest of the name follows it. */
const complete = (prefix: string): string =>
  prefix.length > 1 && prefix.endsWith('-') ? `${prefix.slice(0, -2)}a` : prefix;

function checkName(errors: Errors, at: FieldPath, { name, generateName }: Metadata, rule: NameRule): void {
  if (generateName) {
    for (const problem of rule(complete(generateName))) {
      errors.push(at.child('generateName').invalid(generateName, problem));
    }
  }
  if (!name) errors.push(at.child('name').required('name or generateName is required'));
  else for (const problem of rule(name)) errors.push(at.child('name').invalid(name, problem));
}

export function checkAnnotations(errors: Errors, at: FieldPath, annotations: Metadata['annotations']): void {
  let bytes = 0;
  for (const name in annotations) {
    for (const problem of qualifiedName(name.toLowerCase())) {
      errors.push(at.child('annotations').invalid(name, problem));
    }
    bytes += name.length + (annotations[name]?.length ?? 0);
  }
  // The length in UTF-16 units is at least a third of that in bytes.
  if (bytes * 3 <= ANNOTATIONS_BYTES_MAX) return;
  bytes = 0;
  for (const name in annotations) bytes += Buffer.byteLength(name) + Buffer.byteLength(annotations[name] ?? '');
  if (bytes > ANNOTATIONS_BYTES_MAX) errors.push(at.child('annotations').tooLong(ANNOTATIONS_BYTES_MAX));
}

function checkOwner(errors: Errors, at: FieldPath, owner: DeepReadonly<OwnerReference>): void {
  const { apiVersion, kind, name, uid } = owner;
  if (!apiVersion || apiVersion.endsWith('/')) {
    errors.push(at.child('apiVersion').invalid(apiVersion, 'version must not be empty'));
  }
  if (!kind) errors.push(at.child('kind').invalid('', 'must not be empty'));
  if (!name) errors.push(at.child('name').invalid('', 'must not be empty'));
  if (!uid) errors.push(at.child('uid').invalid('', 'must not be empty'));
  if (apiVersion === 'v1' && kind === 'Event') {
    errors.push(at.invalid(owner, '/v1, Kind=Event is disallowed from being an owner'));
  }
}

function checkOwners(errors: Errors, at: FieldPath, owners: readonly DeepReadonly<OwnerReference>[]): void {
  const place = at.child('ownerReferences');
  let controller = '';
  for (const owner of owners) {
    checkOwner(errors, place, owner);
    if (!owner.controller) continue;
    const id = `${owner.kind}/${owner.name}`;
    if (controller) {
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${id}`;
      errors.push(place.invalid(owners, detail));
    }
    controller ||= id;
  }
}

export function checkFinalizers(errors: Errors, at: FieldPath, finalizers: readonly string[]): void {
  finalizers.forEach((finalizer, i) => {
    const problems = qualifiedName(finalizer);
    for (const problem of problems) errors.push(at.child('finalizers').invalid(finalizer, problem));
    if (!finalizer.includes('/') && !STANDARD_FINALIZERS.includes(finalizer)) {
      const detail = 'name is neither a standard finalizer name nor is it fully qualified';
      errors.push(at.index('finalizers', i).invalid(finalizer, detail));
    }
  });
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    const detail = 'finalizer orphan and foregroundDeletion cannot be both set';
    errors.push(at.child('finalizers').invalid(finalizers, detail));
  }
}

/** What may change later, and so is checked again then. */
function checkChangeable(errors: Errors, at: FieldPath, metadata: Metadata): void {
  checkNonNegative(errors, at, 'generation', metadata.generation);
  if (metadata.labels) errors.push(...validateLabels(metadata.labels, at.child('labels')));
  if (metadata.annotations) checkAnnotations(errors, at, metadata.annotations);
  if (metadata.ownerReferences) checkOwners(errors, at, metadata.ownerReferences);
  if (metadata.finalizers) checkFinalizers(errors, at, metadata.finalizers);
}

/** `nameRule` is the kind's; a generated name has been generated before. */
export function checkMetadata(
  errors: Errors,
  at: FieldPath,
  metadata: Metadata,
  of: { namespaced: boolean; nameRule: NameRule },
): void {
  checkName(errors, at, metadata, of.nameRule);
  const { namespace } = metadata;
  if (!of.namespaced) {
    if (namespace) errors.push(at.child('namespace').forbidden('not allowed on this type'));
  } else if (!namespace) errors.push(at.child('namespace').required());
  else for (const problem of dns1123Label(namespace)) errors.push(at.child('namespace').invalid(namespace, problem));
  checkChangeable(errors, at, metadata);
}

export function checkMetadataUpdate(errors: Errors, at: FieldPath, metadata: Metadata, old: Metadata): void {
  if (old.deletionTimestamp) {
    const added = (metadata.finalizers ?? []).filter((finalizer) => !old.finalizers?.includes(finalizer));
    if (added.length > 0) {
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((name) => JSON.stringify(name)).join(', ')}}`;
      errors.push(at.child('finalizers').forbidden(detail));
    }
  }
  if ((metadata.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(at.child('generation').invalid(metadata.generation ?? 0, 'must not be decremented'));
  }
  for (const field of IMMUTABLE) checkImmutable(errors, at, field, metadata[field], old[field]);
  checkChangeable(errors, at, metadata);
}
