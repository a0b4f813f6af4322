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
} from '@periplus/apimachinery';
import type { RequestContext, Target } from '../types.ts';
import { type BodyKind, checkKind } from './decode.ts';

/** What somebody wants to be applied. */
export interface Configuration {
  readonly context: RequestContext;
  /** Its subresource is that of the request. */
  readonly target: Target;
  readonly value: JsonObject;
  readonly force: boolean;
}

const nameOf = (value: JsonObject, target: Target): string => {
  const { name = target.name, namespace = target.namespace } = (value.metadata ?? {}) as Record<string, JsonValue>;
  return `${namespace}/${name}`;
};

/** The body of an apply as an object of `kind`, not whole and without defaults. Throws BadRequest or Invalid. */
export function decodeConfiguration(
  context: RequestContext,
  target: Target,
  kind: BodyKind,
  body: JsonValue,
): JsonObject {
  if (!context.fieldManager) {
    const error = at('fieldManager').required('is required for apply patch');
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [error]);
  }
  if (!isJsonObject(body)) throw badRequest('error decoding YAML: it is not an object');
  const config = cloneJson(body);
  const expected = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
  if (config.apiVersion !== expected) {
    const found = `Specified patch version: ${config.apiVersion ?? ''}, expected: ${expected}`;
    throw badRequest(`Incorrect version specified in apply patch. ${found}`);
  }
  checkKind(kind, config);
  const { metadata } = config;
  if (isJsonObject(metadata) && (metadata.managedFields ?? null) !== null) {
    throw badRequest('metadata.managedFields must be nil');
  }
  const problems = configProblems(config, kind.schema);
  if (problems.length > 0) {
    const of = `${kind.group}/${kind.version}, Kind=${kind.kind}`;
    throw badRequest(
      `failed to create typed patch object (${nameOf(config, target)}; ${of}): ${problemText(problems)}`,
    );
  }
  const { problem } = conformPart(config, kind.schema);
  if (problem !== undefined) throw cannotBeHandled(kind.kind, kind.version, problem);
  return config;
}
