import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson, fnv1a, hashOf, safeEncoded } from './hash.ts';

test('FNV-1a gives the published values', () => {
  expect(fnv1a(Buffer.from(''))).toBe(0x811c9dc5);
  expect(fnv1a(Buffer.from('a'))).toBe(0xe40c292c);
  expect(fnv1a(Buffer.from('foobar'))).toBe(0xbf9cf968);
});

test('digits become letters that form no words', () => {
  expect(safeEncoded('0123456789')).toBe('456789bcdf');
});

test('equal values hash alike, whatever the order of their members', () => {
  expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: undefined })).toBe('{"b":[1,{"c":"x","d":null}]}');
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
      const turned = Object.fromEntries(Object.entries(object).reverse());
      expect(hashOf(turned)).toBe(hashOf(object));
      expect(hashOf(object)).toMatch(/^[bcdf456789]{1,10}$/);
    }),
  );
});

test('a collision count gives another hash', () => {
  const template = { spec: { containers: [{ name: 'a' }] } };
  expect(new Set([0, 1, 2, 3].map((count) => hashOf(template, count))).size).toBe(4);
});
