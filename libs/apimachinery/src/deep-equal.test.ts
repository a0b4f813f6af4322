import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deepEqual } from './deep-equal.ts';
import { cloneJson } from './json-value.ts';
import type { JsonValue } from './object.ts';

test.each<[unknown, unknown, boolean]>([
  [1, 1, true],
  [1, '1', false],
  [null, {}, false],
  [[], {}, false],
  [[1, 2], [2, 1], false],
  [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
  [{ a: 1 }, { a: 1, b: undefined }, true],
  [{ a: undefined, b: 1 }, { c: 1, b: 1 }, false],
  [{ a: null }, {}, false],
  [{ constructor: 1 }, {}, false],
  [{}, { toString: 1 }, false],
])('%j and %j: %s', (a, b, equal) => {
  expect(deepEqual(a, b)).toBe(equal);
  expect(deepEqual(b, a)).toBe(equal);
});

test('a clone is equal and shares nothing', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const copy = cloneJson(value as JsonValue);
      expect(deepEqual(value, copy)).toBe(true);
      expect(JSON.stringify(copy)).toBe(JSON.stringify(value));
      if (typeof value === 'object' && value !== null) expect(copy).not.toBe(value);
    }),
  );
});

test('a clone keeps a member named __proto__ as a member', () => {
  const value = JSON.parse('{"__proto__":{"a":[1]}}') as JsonValue;
  expect(JSON.stringify(cloneJson(value))).toBe('{"__proto__":{"a":[1]}}');
});
