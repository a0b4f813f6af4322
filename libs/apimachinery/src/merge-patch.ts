import { cloneJson, isJsonObject, NESTING_MAX, setMember, TOO_DEEP } from './json-value.ts';
import type { JsonObject, JsonValue } from './object.ts';
import { badRequest } from './status-error.ts';

/**
 * Applies a JSON merge patch to an object (RFC 7386): null deletes, objects merge, everything else replaces.
 * The result shares nothing with the arguments. Throws BadRequest when the patch is not an object.
 */
export function applyMergePatch(document: JsonObject, patch: JsonValue): JsonObject {
  if (!isJsonObject(patch)) throw badRequest('Invalid JSON Patch');
  return mergedObject(document, patch, 0);
}

function mergedObject(target: JsonValue | undefined, patch: JsonObject, depth: number): JsonObject {
  if (depth > NESTING_MAX) throw badRequest(TOO_DEEP);
  const result: JsonObject = {};
  const old = isJsonObject(target) ? target : {};
  for (const name in old) {
    const change = Object.hasOwn(patch, name) ? patch[name] : undefined;
    if (change === undefined) setMember(result, name, cloneJson(old[name] as JsonValue));
    else if (change !== null) setMember(result, name, mergedMember(old[name], change, depth));
  }
  for (const name in patch) {
    const added = patch[name] as JsonValue;
    if (added !== null && !Object.hasOwn(old, name)) setMember(result, name, mergedMember(undefined, added, depth));
  }
  return result;
}

const mergedMember = (target: JsonValue | undefined, patch: JsonValue, depth: number): JsonValue =>
  isJsonObject(patch) ? mergedObject(target, patch, depth + 1) : cloneJson(patch);
