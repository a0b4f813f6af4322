import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyJsonPatch, JSON_PATCH_OPERATIONS_MAX } from './json-patch.ts';
import type { JsonObject, JsonValue } from './object.ts';

const document: JsonObject = { a: { b: [1, 2, 3], 'x/y': 1, 'm~n': 2 }, n: null };

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
  return value;
}
freeze(document);

describe('a JSON patch', () => {
  test.each<[string, JsonValue, JsonValue]>([
    ['adds a member', [{ op: 'add', path: '/c', value: 1 }], { ...document, c: 1 }],
    ['replaces the member that it adds again', [{ op: 'add', path: '/a', value: 1 }], { a: 1, n: null }],
    [
      'inserts into a list',
      [{ op: 'add', path: '/a/b/1', value: 9 }],
      { a: { b: [1, 9, 2, 3], 'x/y': 1, 'm~n': 2 }, n: null },
    ],
    [
      'appends to a list',
      [{ op: 'add', path: '/a/b/-', value: 9 }],
      { a: { b: [1, 2, 3, 9], 'x/y': 1, 'm~n': 2 }, n: null },
    ],
    ['replaces the whole', [{ op: 'add', path: '', value: { z: 1 } }], { z: 1 }],
    ['removes a member', [{ op: 'remove', path: '/a' }], { n: null }],
    ['removes from a list', [{ op: 'remove', path: '/a/b/0' }], { a: { b: [2, 3], 'x/y': 1, 'm~n': 2 }, n: null }],
    [
      'reads ~1 and ~0',
      [
        { op: 'replace', path: '/a/x~1y', value: 5 },
        { op: 'remove', path: '/a/m~0n' },
      ],
      { a: { b: [1, 2, 3], 'x/y': 5 }, n: null },
    ],
    ['moves', [{ op: 'move', from: '/a/b', path: '/b' }], { a: { 'x/y': 1, 'm~n': 2 }, b: [1, 2, 3], n: null }],
    [
      'moves within a list',
      [{ op: 'move', from: '/a/b/0', path: '/a/b/2' }],
      { a: { b: [2, 3, 1], 'x/y': 1, 'm~n': 2 }, n: null },
    ],
    ['copies', [{ op: 'copy', from: '/a/b', path: '/n' }], { ...document, n: [1, 2, 3] }],
    [
      'goes on after a test that holds',
      [
        { op: 'test', path: '/a/b', value: [1, 2, 3] },
        { op: 'remove', path: '/a' },
      ],
      { n: null },
    ],
    ['takes an absent member for null in a test', [{ op: 'test', path: '/zzz', value: null }], document],
    ['replaces a member that is not there yet', [{ op: 'replace', path: '/c', value: 1 }], { ...document, c: 1 }],
    ['adds null', [{ op: 'add', path: '/c', value: null }], { ...document, c: null }],
  ])('%s', (_name, patch, expected) => {
    expect(applyJsonPatch(document, patch)).toEqual(expected);
  });

  test.each<[string, JsonValue, string]>([
    ['a failed test', [{ op: 'test', path: '/a/b/0', value: 2 }], 'testing value /a/b/0 failed: test failed'],
    [
      'a missing parent',
      [{ op: 'add', path: '/q/r', value: 1 }],
      'add operation does not apply: doc is missing path: "/q/r": missing value',
    ],
    [
      'a missing member',
      [{ op: 'remove', path: '/q' }],
      "error in remove for path: '/q': Unable to remove nonexistent key: q: missing value",
    ],
    [
      'replacing what is not there',
      [{ op: 'replace', path: '/a/b/3', value: 1 }],
      'replace operation does not apply: doc is missing key: /a/b/3: missing value',
    ],
    [
      'an index that is out of range',
      [{ op: 'add', path: '/a/b/4', value: 1 }],
      "error in add for path: '/a/b/4': Unable to access invalid index: 4: invalid index referenced",
    ],
    [
      'an index with a leading zero',
      [{ op: 'remove', path: '/a/b/01' }],
      "error in remove for path: '/a/b/01': Unable to access invalid index: 01: invalid index referenced",
    ],
    ['an unknown operation', [{ op: 'twist', path: '/a' }], 'Unexpected kind: twist'],
    ['an operation without op', [{ path: '/a' }], 'Unexpected kind: unknown'],
    ['a move without from', [{ op: 'move', path: '/a' }], 'move operation failed to decode from: missing value'],
    [
      'a move into itself',
      [{ op: 'move', from: '/a', path: '/a/b' }],
      'move operation does not apply: doc is missing destination path: /a/b: missing value',
    ],
    [
      'what objects inherit',
      [{ op: 'add', path: '/constructor/x', value: 1 }],
      'add operation does not apply: doc is missing path: "/constructor/x": missing value',
    ],
  ])('refuses %s', (_name, patch, cause) => {
    expect(() => applyJsonPatch(document, patch)).toThrow(
      expect.objectContaining({
        reason: 'Invalid',
        message: 'the server rejected our request due to an error in our request',
        details: {},
        cause,
      }),
    );
  });

  test('that is no list of objects is a bad request', () => {
    expect(() => applyJsonPatch({}, { op: 'add' })).toThrow(
      'json: cannot unmarshal object into Go value of type jsonpatch.Patch',
    );
    expect(() => applyJsonPatch({}, ['x'])).toThrow(
      'json: cannot unmarshal string into Go value of type jsonpatch.Operation',
    );
  });

  test('may not have too many operations', () => {
    const patch = new Array(JSON_PATCH_OPERATIONS_MAX + 1).fill({ op: 'test', path: '/a', value: null });
    expect(() => applyJsonPatch({}, patch)).toThrow(
      'Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001',
    );
  });

  test('cannot blow up the document by copying it into itself', () => {
    const patch = Array.from({ length: 100 }, (_, i) => ({ op: 'copy', from: '', path: `/c${i}` }));
    expect(() => applyJsonPatch({ a: 'x'.repeat(100) }, patch)).toThrow(expect.objectContaining({ reason: 'Invalid' }));
  });

  test('cannot nest without end', () => {
    const patch = Array.from({ length: 9000 }, () => ({ op: 'copy', from: '', path: '/a' }));
    expect(() => applyJsonPatch({}, patch)).toThrow(/rejected|exceeded max depth/);
  });

  test('cannot reach a prototype', () => {
    const result = applyJsonPatch({}, [
      { op: 'add', path: '/__proto__', value: { polluted: true } },
      { op: 'add', path: '/__proto__/more', value: true },
    ]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(JSON.stringify(result)).toBe('{"__proto__":{"polluted":true,"more":true}}');
  });

  test('shares nothing with the document or itself', () => {
    const value = freeze({ list: [1] });
    const patch = freeze([
      { op: 'add', path: '/v', value },
      { op: 'add', path: '/v/list/-', value: 2 },
      { op: 'add', path: '/w', value },
    ]);
    expect(applyJsonPatch(freeze({}), patch as unknown as JsonValue)).toEqual({
      v: { list: [1, 2] },
      w: { list: [1] },
    });
  });
});

test('adding and removing again leaves any object as it was', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), fc.jsonValue(), (object, name, value) => {
      fc.pre(!Object.hasOwn(object, name));
      const path = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      const patch = [
        { op: 'add', path, value },
        { op: 'test', path, value },
        { op: 'remove', path },
      ] as JsonValue;
      expect(applyJsonPatch(object as JsonObject, patch)).toEqual({ ...object });
    }),
  );
});
