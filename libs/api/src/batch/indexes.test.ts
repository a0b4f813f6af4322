import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commonIndex, countOf, parseIndexes } from './indexes.ts';

const COMPLETIONS = 40;

/** `0,2-4` of a set of indexes. */
function textOf(indexes: readonly number[]): string {
  const sorted = [...new Set(indexes)].sort((a, b) => a - b);
  const parts: [number, number][] = [];
  for (const index of sorted) {
    const last = parts.at(-1);
    if (last && last[1] === index - 1) last[1] = index;
    else parts.push([index, index]);
  }
  return parts.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}

const someIndexes = fc.array(fc.nat(COMPLETIONS - 1));

describe('indexes of a job', () => {
  it('are counted, and compared, like sets of numbers', () => {
    fc.assert(
      fc.property(someIndexes, someIndexes, (one, other) => {
        const [a, b] = [parseIndexes(textOf(one), COMPLETIONS), parseIndexes(textOf(other), COMPLETIONS)];
        if (typeof a === 'string' || typeof b === 'string') throw new Error(`refused: ${a}, ${b}`);
        expect(countOf(a)).toBe(new Set(one).size);
        const common = one.filter((index) => other.includes(index)).sort((x, y) => x - y)[0];
        expect(commonIndex(a, b)).toBe(common);
      }),
    );
  });

  it.each([
    [
      '1-2-3',
      'the fragment "1-2-3" violates the requirement that an index interval can have at most two parts separated by \'-\'',
    ],
    ['1,,2', 'cannot convert string to integer for index: ""'],
    ['40', 'too large index: "40"'],
    ['3-40', 'too large index: "40"'],
    ['3-3', 'non-increasing order, previous: 3, current: 3'],
    ['1-5,5', 'non-increasing order, previous: 5, current: 5'],
  ])('%s are refused', (text, problem) => {
    expect(parseIndexes(text, COMPLETIONS)).toBe(problem);
  });
});
