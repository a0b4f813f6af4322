import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findDuplicateFields } from './duplicate-fields.ts';

test.each([
  ['{}', []],
  ['{"a":1,"b":1}', []],
  ['{"a":1,"a":2}', ['a']],
  ['{"metadata":{"name":"x","name":"y"}}', ['metadata.name']],
  ['{"spec":{"c":[{"n":1},{"n":1,"n":[],"m":{"n":1}}]}}', ['spec.c[1].n']],
  ['{"a":{"b":1},"c":{"b":1}}', []],
  ['{"a":["a","a"],"b":"a"}', []],
  ['{"a":1,"\\u0061":2}', ['a']],
  ['{"a\\"b":1,"a\\\\":{"a":"\\\\"},"a\\"b":2}', ['a"b']],
  ['{"a":{},"a":{},"a":{}}', ['a']],
  ['[{"a":1,"a":1}]', ['[0].a']],
  ['{"a":[[1,2],[{"b":1,"b":1}]]}', ['a[1][0].b']],
  ['"just text, \\" and {"', []],
])('%s has duplicates %j', (json, expected) => {
  expect(findDuplicateFields(json)).toEqual(expected);
  expect(findDuplicateFields(json, JSON.parse(json))).toEqual(expected);
});

test('JSON that was written by JSON.stringify has none', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, indent) => {
      const json = JSON.stringify(value, null, indent);
      expect(findDuplicateFields(json)).toEqual([]);
      expect(findDuplicateFields(json, JSON.parse(json))).toEqual([]);
    }),
  );
});
