import {
  applyJsonPatch,
  applyMergePatch,
  applyStrategicMergePatch,
  at,
  type DeepReadonly,
  fieldWarnings,
  findDuplicateFields,
  invalid,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  type Schema,
  strictDecodingProblem,
  unsupportedMediaType,
} from '@periplus/apimachinery';
import type { ObjectResult, Patch, Preconditions, RequestContext, Target } from '../types.ts';
import { APPLY_PATCH, applyObject } from './apply.ts';
import { changeObject, checkPreconditions, currentObject } from './change.ts';
import type { WriteDeps } from './create.ts';
import { decodeObject } from './decode.ts';
import { checkNamedAs } from './metadata.ts';
import { decideUpdate } from './update.ts';

/** As often as kube-apiserver applies a patch again when somebody else was faster. */
const ATTEMPTS_MAX = 5;

const JSON_PATCH = 'application/json-patch+json';
const MERGE_PATCH = 'application/merge-patch+json';
const STRATEGIC_MERGE_PATCH = 'application/strategic-merge-patch+json';

/** What a patch may be sent as. */
export const PATCH_MEDIA_TYPES: readonly string[] = [JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, APPLY_PATCH];

/** The patched document, which shares nothing with the arguments. Throws UnsupportedMediaType, BadRequest or Invalid. */
export function applyPatch(document: JsonObject, mediaType: string, patch: JsonValue, schema: Schema): JsonValue {
  switch (mediaType) {
    case JSON_PATCH:
      return applyJsonPatch(document, patch);
    case MERGE_PATCH:
      return applyMergePatch(document, patch);
    case STRATEGIC_MERGE_PATCH:
      return applyStrategicMergePatch(document, patch, schema);
    default:
      throw unsupportedMediaType(PATCH_MEDIA_TYPES);
  }
}

/** What field validation has to say of a patch: of its text, and of what it made of the object. */
function settleWarnings(context: RequestContext, { body }: Patch, unknownFields: readonly string[]): void {
  const { fieldValidation } = context;
  if (fieldValidation === 'Ignore') return;
  const duplicates = body.json === null ? [] : findDuplicateFields(body.json);
  const warnings = [...fieldWarnings([], duplicates), ...unknownFields];
  if (warnings.length === 0) return;
  if (fieldValidation === 'Warn') {
    context.warnings.push(...warnings);
    return;
  }
  const text = body.json ?? JSON.stringify(body.value);
  throw invalid({ group: '', kind: '' }, '', [at('patch').invalid(text, strictDecodingProblem(warnings))]);
}

/** Throws Invalid when anything but an apply wants to be forced. */
export function checkNotForced({ force }: Patch): void {
  if (force === undefined) return;
  const error = at('force').forbidden('may not be specified for non-apply patch');
  throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [error]);
}

/** What a patch is applied to. Who manages what is half of many an object, and few patches speak of it. */
function documentOf(patch: Patch): (object: DeepReadonly<KubeObject>) => JsonObject {
  const text = patch.body.json ?? JSON.stringify(patch.body.value);
  const speaksOfManagers = text.includes('managedFields');
  return (object) => {
    if (speaksOfManagers) return object as unknown as JsonObject;
    const { managedFields: _, ...metadata } = object.metadata;
    return { ...object, metadata } as unknown as JsonObject;
  };
}

/** Patches an object or its status. */
export async function patchObject(
  deps: WriteDeps,
  context: RequestContext,
  target: Target,
  patch: Patch,
  only: Preconditions,
): Promise<ObjectResult> {
  if (patch.mediaType === APPLY_PATCH) return applyObject(deps, context, target, patch, only);
  deps.authorize(context, target, 'patch');
  checkNotForced(patch);
  if (!PATCH_MEDIA_TYPES.includes(patch.mediaType)) throw unsupportedMediaType(PATCH_MEDIA_TYPES);
  const { kind } = target;
  const patchable = documentOf(patch);
  let isFirst = true;
  return changeObject(deps, {
    context,
    target,
    verb: 'patch',
    attemptsMax: ATTEMPTS_MAX,
    decide(entry) {
      checkPreconditions(target, entry, only);
      const current = patchable(currentObject(target, entry));
      const patched = applyPatch(current, patch.mediaType, patch.body.value, kind.schema);
      const lenient: RequestContext = { ...context, fieldValidation: 'Warn', warnings: [] };
      const object = decodeObject(lenient, kind, patched, null);
      if (isFirst) settleWarnings(context, patch, lenient.warnings);
      isFirst = false;
      checkNamedAs(object, target);
      return decideUpdate(deps, context, target, object, entry);
    },
  });
}
