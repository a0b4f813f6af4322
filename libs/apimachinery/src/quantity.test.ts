import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseQuantity, Quantity, quantityProblem } from './quantity.ts';

describe('a quantity prints in canonical form', () => {
  test.each([
    ['0', '0'],
    ['0Mi', '0'],
    ['-0', '0'],
    ['1', '1'],
    ['+1', '1'],
    ['-1', '-1'],
    ['1000m', '1'],
    ['100m', '100m'],
    ['0.1', '100m'],
    ['.5', '500m'],
    ['1.5', '1500m'],
    ['2.', '2'],
    ['1000', '1k'],
    ['1024', '1024'],
    ['12345', '12345'],
    ['1500000', '1500k'],
    ['1000000000000000000000', '1000E'],
    ['1E', '1E'],
    ['1e3', '1e3'],
    ['1000e3', '1e6'],
    ['12E6', '12e6'],
    ['1e-3', '1e-3'],
    ['100e-2', '1'],
    ['1Ki', '1Ki'],
    ['1024Ki', '1Mi'],
    ['1536Mi', '1536Mi'],
    ['1.5Gi', '1536Mi'],
    ['0.5Ki', '512'],
    ['1025Ki', '1025Ki'],
    ['0.1Mi', '104857600m'],
    ['100000Ei', '9223372036854775807'],
    ['-100Mi', '-100Mi'],
    ['1n', '1n'],
    ['0.1n', '1n'],
    ['-0.1n', '-1n'],
    ['1.0000000001', '1000000001n'],
    ['1u', '1u'],
    ['1100u', '1100u'],
    ['64Gi', '64Gi'],
    ['110', '110'],
  ])('%s is %s', (text, canonical) => {
    expect(parseQuantity(text).toString()).toBe(canonical);
  });

  test('numbers of JSON are read too', () => {
    expect(JSON.stringify({ cpu: parseQuantity(0.25), memory: parseQuantity(1e21) })).toBe(
      '{"cpu":"250m","memory":"1e21"}',
    );
  });
});

test.each([
  ['', /^quantities must match the regular expression '\^\(\[\+-\]\?\[0-9\.\]\+\)/],
  ['1.1.M', /^quantities must match/],
  ['1+1.0M', /^quantities must match/],
  ['abc', /^quantities must match/],
  ['1 Gi', /^quantities must match/],
  ['1'.repeat(300), /^quantities must match/],
  ['.', /^unable to parse numeric part of quantity$/],
  ['0.1mi', /^unable to parse quantity's suffix$/],
  ['1i', /^unable to parse quantity's suffix$/],
  ['1e', /^unable to parse quantity's suffix$/],
  ['1K', /^unable to parse quantity's suffix$/],
  ['1e999999999', /^unable to parse quantity's suffix$/],
])('%j is refused in the words of Kubernetes', (text, message) => {
  expect(quantityProblem(text)).toMatch(message);
  expect(() => parseQuantity(text)).toThrow(message);
});

test('whole and thousandth values round away from zero', () => {
  expect(parseQuantity('100m').value()).toBe(1);
  expect(parseQuantity('-100m').value()).toBe(-1);
  expect(parseQuantity('1500m').value()).toBe(2);
  expect(parseQuantity('2Gi').value()).toBe(2 ** 31);
  expect(parseQuantity('1n').milliValue()).toBe(1);
  expect(parseQuantity('1.5').milliValue()).toBe(1500);
});

test('sums keep the format of their first part that is not zero', () => {
  const sum = Quantity.zero.add(parseQuantity('512Mi')).add(parseQuantity('512Mi'));
  expect(String(sum)).toBe('1Gi');
  expect(String(parseQuantity('1').subtract(parseQuantity('250m')))).toBe('750m');
  expect(parseQuantity('1Gi').compare(parseQuantity('1G'))).toBe(1);
  expect(String(Quantity.ofMilli(2500))).toBe('2500m');
  expect(String(Quantity.ofInteger(2048, 'BinarySI'))).toBe('2Ki');
});

const anyQuantity = fc
  .tuple(
    fc.constantFrom('', '-', '+'),
    fc.bigInt({ min: 0n, max: 10n ** 15n }),
    fc.option(fc.stringMatching(/^[0-9]{1,6}$/)),
    fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'T', 'P', 'E', 'Ki', 'Mi', 'Gi', 'Ti', 'e3', 'E-3', 'e0', 'e+4'),
  )
  .map(([sign, whole, fraction, suffix]) => `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${suffix}`);

describe('for any quantity', () => {
  test('printing loses nothing and is final', () => {
    fc.assert(
      fc.property(anyQuantity, (text) => {
        const quantity = parseQuantity(text);
        const again = parseQuantity(quantity.toString());
        expect(again.compare(quantity)).toBe(0);
        expect(again.toString()).toBe(quantity.toString());
        expect(quantity.toString()).toMatch(/^(0|-?[1-9][0-9]*(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|e-?[0-9]+)?)$/);
      }),
    );
  });

  test('addition commutes and subtraction undoes it', () => {
    fc.assert(
      fc.property(anyQuantity, anyQuantity, (one, other) => {
        const [a, b] = [parseQuantity(one), parseQuantity(other)];
        expect(a.add(b).compare(b.add(a))).toBe(0);
        expect(a.add(b).subtract(b).compare(a)).toBe(0);
        expect(Math.sign(a.compare(b))).toBe(-Math.sign(b.compare(a)) + 0);
      }),
    );
  });
});
