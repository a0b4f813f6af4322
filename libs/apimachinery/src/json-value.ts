import type { JsonObject, JsonValue } from './object.ts';
import { badRequest } from './status-error.ts';

/** How deep a document may nest. The deepest of Kubernetes' own kinds stays below 30. */
export const NESTING_MAX = 1000;

/** What a document that nests deeper is refused with, in the words of Go's decoder. */
export const TOO_DEEP = 'exceeded max depth';

/*
 * Members of decoded JSON are read and written below in a way that is safe for every name. A ConfigMap may
 * have a key `__proto__`; plain assignment would change the prototype instead, and plain reading would find
 * what Object.prototype inherits.
 */

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The own member `name`, or undefined. */
export const memberOf = (object: JsonObject, name: string): JsonValue | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined;

export function setMember(object: JsonObject, name: string, value: JsonValue): void {
  if (name === '__proto__') {
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[name] = value;
  }
}

/**
 * A deep copy that shares nothing with `value`; for JSON several times faster than structuredClone.
 * Throws BadRequest beyond NESTING_MAX.
 */
export const cloneJson = <T extends JsonValue>(value: T): T => cloned(value, 0) as T;

function cloned(value: JsonValue, depth: number): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > NESTING_MAX) throw badRequest(TOO_DEEP);
  if (Array.isArray(value)) {
    const copy = new Array<JsonValue>(value.length);
    for (let i = 0; i < value.length; i++) copy[i] = cloned(value[i] as JsonValue, depth + 1);
    return copy;
  }
  const copy: JsonObject = {};
  for (const name in value) {
    const member = cloned(value[name] as JsonValue, depth + 1);
    if (name === '__proto__') setMember(copy, name, member);
    else copy[name] = member;
  }
  return copy;
}

/** What JSON calls the type of a value, in the words of Go's decoder. */
export function jsonTypeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
