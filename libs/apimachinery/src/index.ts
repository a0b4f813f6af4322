/**
 * The rules of the Kubernetes API that need no I/O. Start with `object.ts` (what every object has),
 * then `status-error.ts` and `field-error.ts` (how everything goes wrong).
 */
export { at, type FieldError, type FieldErrorReason, FieldPath } from './field-error.ts';
export type {
  DeepReadonly,
  JsonObject,
  JsonValue,
  KubeObject,
  ObjectMeta,
  OwnerReference,
  ResourceKey,
} from './object.ts';
export { parseVersion, versionOfRevision, versionOfWrite, WRITES_PER_REVISION_MAX } from './resource-version.ts';
export {
  alreadyExists,
  badRequest,
  conflict,
  expired,
  forbidden,
  type GroupResource,
  internalError,
  invalid,
  isAlreadyExists,
  isConflict,
  isExpired,
  isNotFound,
  notFound,
  type Status,
  type StatusCause,
  type StatusDetails,
  StatusError,
  type StatusReason,
  staleVersion,
  unauthorized,
} from './status-error.ts';
