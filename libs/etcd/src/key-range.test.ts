import fc from 'fast-check';
import { expect, test } from 'vitest';
import { prefixEnd } from './key-range.ts';

test.for([
  ['/registry/', '/registry0'],
  ['a', 'b'],
  ['a\u{10ffff}', 'b'],
  ['\ud7ff', '\ue000'],
  ['', '\0'],
  ['\u{10ffff}', '\0'],
])('the keys that start with %j end before %j', ([prefix, end]) => {
  expect(prefixEnd(prefix!)).toBe(end);
});

test('a key is in the range exactly when it starts with the prefix', () => {
  const char = fc.constantFrom(
    'a',
    'b',
    '/',
    '0',
    '\0',
    '\x7f',
    '\x80',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '\u{10000}',
    '\u{10ffff}',
  );
  const text = fc.string({ unit: char, minLength: 1, maxLength: 4 });
  const property = fc.property(text, text, fc.boolean(), (prefix, other, below) => {
    const key = below ? prefix + other : other;
    const end = prefixEnd(prefix);
    const bytes = Buffer.from(key);
    const within = bytes.compare(Buffer.from(prefix)) >= 0 && (end === '\0' || bytes.compare(Buffer.from(end)) < 0);
    expect(within).toBe(key.startsWith(prefix));
  });
  fc.assert(property);
});
