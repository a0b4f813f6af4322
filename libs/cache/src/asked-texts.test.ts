import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AskedTexts } from './asked-texts.ts';

const TEXTS = ['"finalizers"', '"phase":"Failed"', '"Failed"', '"a.b/c"', '":"', '"x'];

function asked(...texts: string[]): AskedTexts {
  const all = new AskedTexts();
  for (const text of texts) all.bit(text);
  return all;
}

describe('texts that are asked about', () => {
  it('are found together, as by looking for each', () => {
    const all = asked(...TEXTS);
    const piece = fc.oneof(
      fc.constantFrom(...TEXTS, '"', ':', 'é', 'finalizers', 'aXb/c'),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const json = Buffer.from(pieces.join(''));
        const found = all.in(json);
        for (const text of TEXTS) expect((found & all.bit(text)) !== 0, text).toBe(json.includes(text));
      }),
    );
  });

  it('have a bit each, the same each time', () => {
    const all = asked(...TEXTS);
    const bits = TEXTS.map((text) => all.bit(text));
    expect(new Set(bits).size).toBe(TEXTS.length);
    expect(all.count).toBe(TEXTS.length);
  });

  it.each([
    ['does not begin with the quote', 'phase'],
    ['begins as another', '"phase"'],
    ['begins as another', '"phase":"Failed"'],
  ])('are refused: %s', (why, text) => {
    const all = asked('"phase":');
    if (text === '"phase"') expect(() => all.bit('"phase')).toThrow(why);
    else expect(() => all.bit(text)).toThrow(why);
  });

  it('are no more than there are bits', () => {
    const all = new AskedTexts();
    for (let i = 0; i < 30; i++) all.bit(`"text${String(i).padStart(2, '0')}"`);
    expect(() => all.bit('"one more"')).toThrow('more than 30 texts');
    expect(all.in(Buffer.from('{"text29":1}'))).toBe(all.bit('"text29"'));
  });
});
