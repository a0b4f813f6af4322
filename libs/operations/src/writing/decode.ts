import type { Kind } from '@periplus/api';
import {
  badRequest,
  cannotBeHandled,
  conform,
  fieldWarnings,
  findDuplicateFields,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  type Schema,
  strictDecodingProblem,
} from '@periplus/apimachinery';
import type { Body, RequestContext } from '../types.ts';

/** What decoding needs to know of a kind; also of those that are only sent, never stored (Binding, Scale). */
export interface BodyKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly schema: Schema;
}

const apiVersionOf = ({ group, version }: { group: string; version: string }): string =>
  group === '' ? version : `${group}/${version}`;

/** A body may leave out what it is; it may not be something else. */
function checkKind(kind: BodyKind, value: JsonObject): void {
  const expected = apiVersionOf(kind);
  const { kind: name = kind.kind, apiVersion = expected } = value;
  if (typeof name !== 'string' || typeof apiVersion !== 'string') {
    const field = typeof name === 'string' ? 'apiVersion' : 'kind';
    const why = `couldn't get version/kind; json parse error: json: cannot unmarshal into Go struct field .${field} of type string`;
    throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): ${why}`);
  }
  if (name !== '' && name !== kind.kind) {
    const version = apiVersion.slice(apiVersion.lastIndexOf('/') + 1);
    const why = `converting (${apiVersion.replace('/', '.')}.${name}) to (${kind.group || 'core'}.${kind.kind}): unknown conversion`;
    throw badRequest(`${name} in version "${version}" cannot be handled as a ${kind.kind}: ${why}`);
  }
  if (apiVersion !== '' && apiVersion !== expected) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
    );
  }
}

/** As Go's reader of YAML puts it. */
export const duplicateKeysProblem = (keys: readonly string[]): string =>
  ['yaml: unmarshal errors:', ...keys.map((key) => `  ${key}`)].join('\n');

/**
 * Makes a decoded body an object of `kind`, in place. What the schema does not know is pruned, and refused or warned
 * of as the request asks, like what stands twice in what it was decoded `from`. Throws BadRequest in kube-apiserver's words.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
 */
export function decodeBody(context: RequestContext, kind: BodyKind, value: JsonValue, from: Body | null): KubeObject {
  if (!isJsonObject(value)) {
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind.kind}): couldn't get version/kind; it is not a JSON object`,
    );
  }
  checkKind(kind, value);
  const { fieldValidation } = context;
  // Before anything of the value changes.
  const duplicates = fieldValidation === 'Ignore' || !from?.json ? [] : findDuplicateFields(from.json, value);
  value.kind = kind.kind;
  value.apiVersion = apiVersionOf(kind);
  const { problem, unknownFields } = conform(value, kind.schema);
  if (problem !== undefined) throw cannotBeHandled(kind.kind, kind.version, problem);
  const keys = from?.duplicateKeys ?? [];
  if (fieldValidation !== 'Ignore' && unknownFields.length + duplicates.length + keys.length > 0) {
    const warnings = fieldWarnings(unknownFields, duplicates);
    if (fieldValidation === 'Strict') {
      const all = keys.length > 0 ? [duplicateKeysProblem(keys), ...warnings] : warnings;
      throw cannotBeHandled(kind.kind, kind.version, strictDecodingProblem(all));
    }
    context.warnings.push(...keys, ...warnings);
  }
  const object = value as unknown as KubeObject;
  object.metadata ??= {};
  return object;
}

/** As `decodeBody`, with the documented defaults filled in. */
export function decodeObject(context: RequestContext, kind: Kind, value: JsonValue, from: Body | null): KubeObject {
  const object = decodeBody(context, kind, value, from);
  kind.setDefaults(object);
  return object;
}
