import {
  at,
  badRequest,
  cannotBeHandled,
  cloneJson,
  configProblems,
  conformPart,
  invalid,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  problemText,
  type StatusError,
} from '@periplus/apimachinery';
import type { Body, RequestContext, Target } from '../types.ts';
import { type BodyKind, duplicateKeysProblem } from './decode.ts';

/** What somebody wants to be applied. */
export interface Configuration {
  readonly context: RequestContext;
  /** Its subresource is that of the request. */
  readonly target: Target;
  readonly value: JsonObject;
  readonly force: boolean;
}

/** Types are looked at later: it may be anything, even what refuses to become text. */
const textOf = (value: JsonValue | undefined): string =>
  typeof value === 'string' ? value : JSON.stringify(value ?? '');

/** That the configuration is none of its kind. */
function untyped(value: JsonObject, target: Target, of: string, why: string): StatusError {
  const { name = target.name, namespace = target.namespace } = (value.metadata ?? {}) as Record<string, JsonValue>;
  return badRequest(`failed to create typed patch object (${textOf(namespace)}/${textOf(name)}; ${of}): ${why}`);
}

function settleDuplicates({ fieldValidation, warnings }: RequestContext, { duplicateKeys = [] }: Body): void {
  if (fieldValidation === 'Ignore' || duplicateKeys.length === 0) return;
  if (fieldValidation === 'Strict') {
    const problem = duplicateKeysProblem(duplicateKeys);
    throw badRequest(`error strict decoding YAML: error converting YAML to JSON: ${problem}`);
  }
  warnings.push(...duplicateKeys);
}

/**
 * The body of an apply as an object of `kind`, not whole and without defaults. Throws BadRequest or Invalid. A field
 * that nobody knows is the client's fault here; kube-apiserver says the same words with the code 500.
 */
export function decodeConfiguration(context: RequestContext, target: Target, kind: BodyKind, body: Body): JsonObject {
  if (!context.fieldManager) {
    const error = at('fieldManager').required('is required for apply patch');
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [error]);
  }
  if (!isJsonObject(body.value)) throw badRequest('error decoding YAML: it is not an object');
  const config = cloneJson(body.value);
  const expected = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
  if (config.apiVersion !== expected) {
    const found = `Specified patch version: ${textOf(config.apiVersion ?? '')}, expected: ${expected}`;
    throw badRequest(`Incorrect version specified in apply patch. ${found}`);
  }
  const of = `${kind.group}/${kind.version}, Kind=${textOf(config.kind ?? '')}`;
  if (config.kind !== kind.kind) throw untyped(config, target, of, `no corresponding type for ${of}`);
  const { metadata } = config;
  if (isJsonObject(metadata) && (metadata.managedFields ?? null) !== null) {
    throw badRequest('metadata.managedFields must be nil');
  }
  const problems = configProblems(config, kind.schema);
  if (problems.length > 0) throw untyped(config, target, of, problemText(problems));
  const { problem } = conformPart(config, kind.schema);
  if (problem !== undefined) throw cannotBeHandled(kind.kind, kind.version, problem);
  settleDuplicates(context, body);
  return config;
}
