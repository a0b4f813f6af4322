import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { at } from './field-error.ts';
import {
  compileLabelSelector,
  everything,
  nothing,
  parseLabelSelector,
  selectorOfLabels,
  validateLabelSelector,
  validateLabels,
} from './labels.ts';

const labels = { a: 'b', env: 'prod', tier: 'web', empty: '', weight: '7' };

describe('a label selector in text form', () => {
  test.each([
    ['', true],
    ['a', true],
    ['!a', false],
    ['!missing', true],
    ['a=b', true],
    ['a==b', true],
    ['a!=b', false],
    ['missing!=b', true],
    ['a=', false],
    ['empty=', true],
    ['empty', true],
    ['env in (prod,test)', true],
    ['env in ( prod )', true],
    ['env notin (prod, test)', false],
    ['missing notin (x)', true],
    ['missing in (x)', false],
    ['empty in ()', true],
    ['empty in (x,)', true],
    ['empty in (,x)', true],
    ['a=b,env in (prod),!missing', true],
    ['a=b, env in (test)', false],
    ['weight>6', true],
    ['weight>7', false],
    ['weight < 8', true],
    ['missing<8', false],
    ['a>1', false],
    ['in=x', false],
    ['notin', false],
    ['example.com/app=x', false],
  ])('%j matches: %s', (text, expected) => {
    expect(parseLabelSelector(text).matches(labels)).toBe(expected);
  });

  test.each([
    [',', "found ',', expected: !, identifier, or 'end of string'"],
    ['a,', "found '', expected: identifier after ','"],
    ['a=b=c', "found '=', expected: ',' or 'end of string'"],
    ['!a=b', "found '=', expected: ',' or 'end of string'"],
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['!', "unable to parse requirement: found '', expected: identifier"],
    ['x in', "unable to parse requirement: found '' expected: '('"],
    ['x in a', "unable to parse requirement: found 'a' expected: '('"],
    ['x in (a', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['x in (a b)', "unable to parse requirement: found 'b', expected: ',' or ')'"],
    ['x in (=)', "unable to parse requirement: found '=', expected: ',', ')' or identifier"],
    ['x in (a,=)', "unable to parse requirement: found '=', expected: ',', or identifier"],
    ['x=(', "unable to parse requirement: found '(', expected: identifier"],
    [
      'x>y',
      `unable to parse requirement: values[0]: Invalid value: "y": for 'Gt', 'Lt' operators, the value must be an integer`,
    ],
  ])('%j is refused in the words of Kubernetes', (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(expect.objectContaining({ message, reason: 'BadRequest' }));
  });

  test('a bad key or value is named', () => {
    expect(() => parseLabelSelector('-a=b')).toThrow(
      /^unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of alphanumeric/,
    );
    expect(() => parseLabelSelector('a=@')).toThrow(
      /^unable to parse requirement: values\[0\]\[a\]: Invalid value: "@": a valid label must be an empty string or/,
    );
  });

  test('prints sorted and normalised', () => {
    const selector = parseLabelSelector(' z ,a = b,c in (y, x),!n,w>3,d notin (q),e==f,g!=h');
    expect(selector.text).toBe('a=b,c in (x,y),d notin (q),e==f,g!=h,!n,w>3,z');
  });

  test('parses back what it printed', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
    const values = fc.uniqueArray(name, { minLength: 1, maxLength: 3 });
    const term = fc.oneof(
      name,
      name.map((key) => `!${key}`),
      fc.tuple(name, fc.constantFrom('=', '==', '!='), name).map((parts) => parts.join('')),
      fc.tuple(name, fc.constantFrom('in', 'notin'), values).map(([key, op, list]) => `${key} ${op} (${list})`),
    );
    fc.assert(
      fc.property(fc.array(term), fc.dictionary(name, name), (terms, someLabels) => {
        const selector = parseLabelSelector(terms.join(','));
        const again = parseLabelSelector(selector.text);
        expect(again.text).toBe(selector.text);
        expect(again.matches(someLabels)).toBe(selector.matches(someLabels));
      }),
    );
  });

  test('never throws anything but BadRequest', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z!=(),<> @/.-]{0,20}$/), (text) => {
        try {
          parseLabelSelector(text);
        } catch (error) {
          expect(error).toMatchObject({ reason: 'BadRequest' });
        }
      }),
    );
  });
});

describe('a label selector object', () => {
  test('absent selects nothing and empty selects everything', () => {
    expect(compileLabelSelector(undefined)).toBe(nothing);
    expect(compileLabelSelector(null).matches({})).toBe(false);
    expect(compileLabelSelector({})).toBe(everything);
    expect(everything.matches(undefined)).toBe(true);
  });

  test('requires both its labels and its expressions', () => {
    const selector = compileLabelSelector({
      matchLabels: { a: 'b' },
      matchExpressions: [
        { key: 'env', operator: 'In', values: ['prod', 'test'] },
        { key: 'missing', operator: 'DoesNotExist' },
        { key: 'tier', operator: 'Exists' },
        { key: 'env', operator: 'NotIn', values: ['dev'] },
      ],
    });
    expect(selector.matches(labels)).toBe(true);
    expect(selector.matches({ ...labels, missing: '' })).toBe(false);
    expect(selector.matches({ ...labels, env: 'dev' })).toBe(false);
    expect(selector.matches(undefined)).toBe(false);
  });

  test('names one exact value for an index', () => {
    const selector = parseLabelSelector('a=b,c in (d),e in (f,g),h!=i');
    expect(selector.exactValueOf('a')).toBe('b');
    expect(selector.exactValueOf('c')).toBe('d');
    expect(selector.exactValueOf('e')).toBeUndefined();
    expect(selector.exactValueOf('h')).toBeUndefined();
  });

  test('is not fooled by what objects inherit', () => {
    expect(parseLabelSelector('constructor').matches({})).toBe(false);
    expect(parseLabelSelector('!constructor').matches({})).toBe(true);
    expect(parseLabelSelector('toString notin (x)').matches({})).toBe(true);
    expect(selectorOfLabels({ constructor: 'x' } as Record<string, string>).matches({})).toBe(false);
  });

  test('an unknown operator is refused', () => {
    const selector = { matchExpressions: [{ key: 'a', operator: 'Like', values: ['b'] }] };
    expect(() => compileLabelSelector(selector)).toThrow('"Like" is not a valid label selector operator');
    expect(validateLabelSelector(selector, at('spec', 'selector'))).toEqual([
      {
        field: 'spec.selector.matchExpressions[0].operator',
        reason: 'FieldValueInvalid',
        message: 'Invalid value: "Like": not a valid selector operator',
      },
    ]);
  });

  test('validation asks for values where they belong', () => {
    const selector = {
      matchLabels: { a: 'not valid' },
      matchExpressions: [
        { key: 'a', operator: 'In' },
        { key: 'b', operator: 'Exists', values: ['c'] },
        { key: '', operator: 'Exists' },
      ],
    };
    expect(validateLabelSelector(selector, at('s')).map((error) => [error.field, error.reason])).toEqual([
      ['s.matchLabels', 'FieldValueInvalid'],
      ['s.matchExpressions[0].values', 'FieldValueRequired'],
      ['s.matchExpressions[1].values', 'FieldValueForbidden'],
      ['s.matchExpressions[2].key', 'FieldValueInvalid'],
      ['s.matchExpressions[2].key', 'FieldValueInvalid'],
    ]);
  });
});

test('labels are validated as in Kubernetes', () => {
  expect(validateLabels({ 'example.com/app': 'web', b: '' }, at('metadata', 'labels'))).toEqual([]);
  expect(validateLabels({ 'a/b/c': 'x y' }, at('metadata', 'labels')).map((error) => error.message)).toEqual([
    expect.stringMatching(
      /^Invalid value: "a\/b\/c": a valid label key must consist of .* \(e.g. 'example.com\/MyName'\)$/,
    ),
    expect.stringMatching(/^Invalid value: "x y": a valid label must be an empty string or consist of/),
  ]);
});
