/**
 * The rules of the Kubernetes API that need no I/O. Start with `object.ts` (what every object has), then
 * `status-error.ts` and `field-error.ts` (how everything goes wrong).
 *
 * - Reading: `schema.ts` (the shape of a kind), `structure.ts` (makes decoded JSON fit it),
 *   `duplicate-fields.ts`, `json-value.ts`.
 * - Values: `quantity.ts`, `int-or-string.ts`, `time.ts`, `go-duration.ts`, `names.ts`, `resource-version.ts`.
 * - Choosing: `labels.ts` and `field-selectors.ts`, compiled once and matched often.
 * - Metadata: `object-meta-validation.ts`, `generated-name.ts`, `owner-references.ts`, `conditions.ts`, `hash.ts`.
 * - Changing: `json-patch.ts`, `merge-patch.ts`, `strategic-merge-patch.ts`. Arguments are never changed.
 * - Applying: `apply/`. `field-set.ts` and `managed-fields.ts` say who owns what, `apply-config.ts` and
 *   `track-update.ts` what becomes of it when somebody applies or updates.
 */
export { apiVersionOf, type GroupVersion, parseApiVersion } from './api-version.ts';
export { type Applied, applyConfig } from './apply/apply-config.ts';
export { blankOf, type Comparison, compareObjects } from './apply/compare.ts';
export { configProblems, problemText } from './apply/config-problems.ts';
export { applyConflict, conflictsBeyond, type FieldConflict } from './apply/conflicts.ts';
export { CreatedFields } from './apply/created-fields.ts';
export { LAST_APPLIED, setByClientSideApply } from './apply/last-applied.ts';
export {
  decodeManagedFields,
  isReset,
  MANAGER_CHARS_MAX,
  type Manager,
  sameManagement,
} from './apply/managed-fields.ts';
export { decodeManagers, encodeManagers, managersJson } from './apply/managers-code.ts';
export { trackUpdate } from './apply/track-update.ts';
export { type Condition, conditionOf, isConditionTrue, withCondition, withoutCondition } from './conditions.ts';
export { deepEqual } from './deep-equal.ts';
export { findDuplicateFields } from './duplicate-fields.ts';
export { at, type FieldError, type FieldErrorReason, FieldPath } from './field-error.ts';
export {
  escapeFieldValue,
  everyField,
  type FieldRequirement,
  FieldSelector,
  parseFieldSelector,
} from './field-selectors.ts';
export { generatedName, NAME_SUFFIX_LENGTH } from './generated-name.ts';
export { goDurationMs } from './go-duration.ts';
export { canonicalJson, fnv1a, hashOf, safeEncoded } from './hash.ts';
export {
  type IntOrString,
  scaledValue,
  validateAtMostHundredPercent,
  validatePositiveIntOrPercent,
} from './int-or-string.ts';
export { applyJsonPatch, JSON_PATCH_COPY_BYTES_MAX, JSON_PATCH_OPERATIONS_MAX } from './json-patch.ts';
export { cloneJson, isJsonObject, jsonTypeOf, memberOf, NESTING_MAX, setMember, TOO_DEEP } from './json-value.ts';
export type { LabelOperator, LabelRequirement } from './label-selector-parser.ts';
export {
  compileLabelSelector,
  everything,
  type LabelSelector,
  type Labels,
  nothing,
  parseLabelSelector,
  Selector,
  selectorOfLabels,
  validateLabelSelector,
  validateLabels,
} from './labels.ts';
export { applyMergePatch } from './merge-patch.ts';
export {
  cIdentifier,
  cidr,
  configMapKey,
  dns1035Label,
  dns1123Label,
  dns1123Subdomain,
  envVarName,
  httpHeaderName,
  inRange,
  ipAddress,
  isMapped,
  labelValue,
  type NameRule,
  pathSegment,
  percent,
  portName,
  portNumber,
  qualifiedName,
  wildcardDns1123Subdomain,
  withoutZerosInFront,
} from './names.ts';
export type {
  DeepReadonly,
  FieldSet,
  JsonObject,
  JsonValue,
  KubeObject,
  ManagedFieldsEntry,
  ObjectMeta,
  OwnerReference,
  ResourceKey,
} from './object.ts';
export {
  ANNOTATIONS_BYTES_MAX,
  keepServerMeta,
  type ObjectMetaRules,
  validateAnnotations,
  validateFinalizers,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from './object-meta-validation.ts';
export { controllerOf, isControlledBy, ownerReferenceTo } from './owner-references.ts';
export { parseQuantity, Quantity, type QuantityFormat, quantityProblem } from './quantity.ts';
export {
  parseVersion,
  REVISION_END,
  versionOfRevision,
  versionOfWrite,
  WRITES_PER_REVISION_MAX,
} from './resource-version.ts';
export type { ArraySchema, ObjectSchema, Schema } from './schema.ts';
export {
  alreadyExists,
  badRequest,
  conflict,
  expired,
  forbidden,
  type GroupResource,
  generateNameConflict,
  gone,
  internalError,
  invalid,
  isAlreadyExists,
  isBadRequest,
  isConflict,
  isExpired,
  isForbidden,
  isInvalid,
  isNotFound,
  isRetriable,
  isTooManyRequests,
  methodNotAllowed,
  methodNotSupported,
  notAcceptable,
  notFound,
  pathNotFound,
  rejectedRequest,
  requestEntityTooLarge,
  type Status,
  type StatusCause,
  type StatusDetails,
  StatusError,
  type StatusReason,
  serverTimeout,
  serviceUnavailable,
  staleVersion,
  timeout,
  tooManyRequests,
  unauthorized,
  unsupportedMediaType,
} from './status-error.ts';
export { applyStrategicMergePatch } from './strategic-merge-patch.ts';
export {
  cannotBeHandled,
  conform,
  conformPart,
  fieldWarnings,
  type StructureReport,
  strictDecodingProblem,
} from './structure.ts';
export { ageOf, canonicalTime, formatMicroTime, formatTime, humanDuration, parseTime } from './time.ts';
export { KUBERNETES_YAML } from './yaml.ts';
