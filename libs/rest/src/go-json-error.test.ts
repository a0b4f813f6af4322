import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goJsonError } from './go-json-error.ts';

describe('goJsonError', () => {
  it.each([
    ['', 'unexpected end of JSON input'],
    ['{', 'unexpected end of JSON input'],
    ['{"a":1', 'unexpected end of JSON input'],
    ['{bad', "invalid character 'b' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', `invalid character '"' after object key:value pair`],
    ['[1 2]', "invalid character '2' after array element"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['nul!', "invalid character '!' in literal null (expecting 'l')"],
    ['{} x', "invalid character 'x' after top-level value"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['"\\q"', "invalid character 'q' in string escape code"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ["'", `invalid character '\\'' looking for beginning of value`],
    ['01', "invalid character '1' after top-level value"],
  ])('says of %j: %s', (text, message) => {
    expect(goJsonError(text)).toBe(message);
  });

  it('finds a fault in every text that JSON.parse refuses, and stops', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.string({ maxLength: 3 }), (json, cut, noise) => {
        const at = cut % (json.length + 1);
        const text = json.slice(0, at) + noise + json.slice(at + 1);
        try {
          JSON.parse(text);
        } catch {
          expect(goJsonError(text)).toMatch(/^(unexpected end|invalid character)/);
        }
      }),
    );
  });
});
