import { expect, test } from 'vitest';
import { sameValue } from './equality.ts';

test.each<[unknown, unknown, boolean]>([
  [{ a: 1 }, { a: 1, b: null, c: [], d: {} }, true],
  [{ a: { b: [] } }, {}, false],
  [undefined, [], true],
  [null, {}, true],
  [undefined, '', false],
  [undefined, 0, false],
  [[], {}, true],
  [[1], {}, false],
  [[{ a: null }], [{}], true],
  [[1, 2], [2, 1], false],
  [{}, { constructor: 'x' }, false],
  [{ toString: 'x' }, {}, false],
  [{ constructor: null }, {}, true],
])('%j and %j: %s', (a, b, same) => {
  expect(sameValue(a, b)).toBe(same);
  expect(sameValue(b, a)).toBe(same);
});
