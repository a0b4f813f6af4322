import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isJsonObject } from './json-value.ts';
import { applyMergePatch } from './merge-patch.ts';
import type { JsonObject, JsonValue } from './object.ts';

/** The examples of RFC 7386, appendix A, whose target and patch are objects. */
test.each<[JsonObject, JsonObject, JsonObject]>([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('%j with %j is %j', (target, patch, result) => {
  expect(applyMergePatch(target, patch)).toEqual(result);
});

test('a patch that is no object is refused', () => {
  expect(() => applyMergePatch({}, [1])).toThrow(expect.objectContaining({ reason: 'BadRequest' }));
});

test('a patch cannot reach a prototype', () => {
  const result = applyMergePatch({}, JSON.parse('{"__proto__":{"polluted":true},"a":{"__proto__":{"b":1}}}'));
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect(JSON.stringify(result)).toBe('{"__proto__":{"polluted":true},"a":{"__proto__":{"b":1}}}');
  expect(JSON.stringify(applyMergePatch(result, JSON.parse('{"__proto__":null}')))).toBe('{"a":{"__proto__":{"b":1}}}');
});

test('a patch that nests without end is refused', () => {
  const deep = JSON.parse(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`);
  expect(() => applyMergePatch({}, deep)).toThrow('exceeded max depth');
  expect(() => applyMergePatch({}, { a: [deep] })).toThrow('exceeded max depth');
});

/** The merge patch from `a` to `b`, which have no nulls. */
function diff(a: JsonObject, b: JsonObject): JsonObject {
  const patch: JsonObject = {};
  for (const name of Object.keys(a)) if (!Object.hasOwn(b, name)) patch[name] = null;
  for (const [name, value] of Object.entries(b)) {
    const old = a[name];
    patch[name] = isJsonObject(old) && isJsonObject(value) ? diff(old, value) : value;
  }
  return patch;
}

const withoutNulls = (value: JsonValue): JsonValue => {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isJsonObject(value)) return value ?? 0;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withoutNulls(member)]));
};
const anyObject = fc
  .dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.jsonValue({ maxDepth: 3 }))
  .map((object) => withoutNulls(object as JsonObject) as JsonObject);
const anyPatch = fc.dictionary(
  fc.constantFrom('a', 'b', 'c', 'd'),
  fc.jsonValue({ maxDepth: 3 }),
) as fc.Arbitrary<JsonObject>;

describe('for any objects', () => {
  test('the difference leads from one to the other', () => {
    fc.assert(
      fc.property(anyObject, anyObject, (a, b) => {
        expect(applyMergePatch(a, diff(a, b))).toEqual(b);
      }),
    );
  });

  test('applying a patch twice is applying it once, and arguments stay as they are', () => {
    fc.assert(
      fc.property(anyObject, anyPatch, (object, patch) => {
        const before = JSON.stringify([object, patch]);
        const once = applyMergePatch(object, patch);
        expect(applyMergePatch(once, patch)).toEqual(once);
        expect(JSON.stringify([object, patch])).toBe(before);
      }),
    );
  });

  test('the empty patch changes nothing', () => {
    fc.assert(
      fc.property(anyObject, (object) => {
        expect(applyMergePatch(object, {})).toEqual(object);
      }),
    );
  });
});
