import fc from 'fast-check';
import { expect, test } from 'vitest';
import { at } from './field-error.ts';
import { scaledValue, validateAtMostHundredPercent, validatePositiveIntOrPercent } from './int-or-string.ts';

test.each([
  [3, 10, 3, 3],
  ['25%', 10, 3, 2],
  ['25%', 4, 1, 1],
  ['0%', 10, 0, 0],
  ['150%', 10, 15, 15],
  ['1%', 1, 1, 0],
])('%j of %i is %i or %i', (value, total, up, down) => {
  expect(scaledValue(value, total, 'up')).toBe(up);
  expect(scaledValue(value, total, 'down')).toBe(down);
});

test('a string that is no percentage has no value', () => {
  for (const text of ['', '10', 'x%', '1.5%', '-1%']) {
    expect(() => scaledValue(text, 10, 'up')).toThrow(
      'invalid value for IntOrString: invalid type: string is not a percentage',
    );
  }
});

test('rounding up and down differ by at most one', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.nat(100_000), (share, total) => {
      const [up, down] = [scaledValue(`${share}%`, total, 'up'), scaledValue(`${share}%`, total, 'down')];
      expect(up - down).toBe((share * total) % 100 === 0 ? 0 : 1);
    }),
  );
});

test('validation names the field', () => {
  const path = at('spec', 'maxSurge');
  expect(validatePositiveIntOrPercent(-1, path)[0]?.message).toBe(
    'Invalid value: -1: must be greater than or equal to 0',
  );
  expect(validatePositiveIntOrPercent('x', path)[0]?.message).toMatch(
    /^Invalid value: "x": a valid percent string must be/,
  );
  expect(validatePositiveIntOrPercent('300%', path)).toEqual([]);
  expect(validateAtMostHundredPercent('101%', path)).toEqual([
    {
      field: 'spec.maxSurge',
      reason: 'FieldValueInvalid',
      message: 'Invalid value: "101%": must not be greater than 100%',
    },
  ]);
  expect(validateAtMostHundredPercent(300, path)).toEqual([]);
});
