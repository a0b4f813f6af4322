import fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapeFieldValue, everyField, parseFieldSelector } from './field-selectors.ts';

const pod: Record<string, string> = { 'metadata.name': 'web', 'spec.nodeName': '', 'metadata.namespace': 'a,b=c\\' };
const get = (field: string): string => pod[field] ?? '';

test.each([
  ['', true],
  [',', true],
  ['metadata.name=web', true],
  ['metadata.name==web', true],
  ['metadata.name!=web', false],
  ['spec.nodeName=', true],
  ['spec.nodeName!=', false],
  ['metadata.name=web,spec.nodeName=n1', false],
  ['metadata.namespace=a\\,b\\=c\\\\', true],
])('%j matches: %s', (text, expected) => {
  expect(parseFieldSelector(text).matches(get)).toBe(expected);
});

test.each([
  ['metadata.name', "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
  ['a=b,c', "invalid selector: 'a=b,c'; can't understand 'c'"],
  ['a=b=c', 'invalid field selector: unescaped character in value: 61'],
  ['a=b\\c', 'invalid field selector: invalid escape sequence: \\c'],
  ['a=b\\', 'invalid field selector: invalid escape sequence: \\'],
])('%j is refused in the words of Kubernetes', (text, message) => {
  expect(() => parseFieldSelector(text)).toThrow(expect.objectContaining({ message, reason: 'BadRequest' }));
});

test('names the exact value of a field for a direct read', () => {
  const selector = parseFieldSelector('metadata.name=web,spec.nodeName!=n1');
  expect(selector.exactValueOf('metadata.name')).toBe('web');
  expect(selector.exactValueOf('spec.nodeName')).toBeUndefined();
  expect(parseFieldSelector('')).toBe(everyField);
});

test('any value survives escaping, and the printed text parses back', () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      const selector = parseFieldSelector(`a.b=${escapeFieldValue(value)}`);
      expect(selector.requirements).toEqual([{ field: 'a.b', operator: '=', value }]);
      expect(parseFieldSelector(selector.text).requirements).toEqual(selector.requirements);
    }),
  );
});
