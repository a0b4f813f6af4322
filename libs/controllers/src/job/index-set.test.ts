import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IndexSet } from './index-set.ts';

const none = IndexSet.parse('', 0);

describe('a set of indexes', () => {
  it.each([
    [[], ''],
    [[4], '4'],
    [[0, 1], '0,1'],
    [[0, 1, 2, 5, 6, 9], '0-2,5,6,9'],
  ])('%j is written %j', (indexes, text) => {
    expect(none.with(indexes).toString()).toBe(text);
  });

  it('forgets what is beyond the number of completions, and what makes no sense', () => {
    expect(IndexSet.parse('0,2-7,9', 5).toString()).toBe('0,2-4');
    expect(IndexSet.parse('0,x', 5).size).toBe(0);
    expect(IndexSet.parse(undefined, 5).size).toBe(0);
  });

  it('does what a set does', () => {
    const indexes = fc.array(fc.nat(30), { maxLength: 20 });
    fc.assert(
      fc.property(indexes, indexes, fc.nat(31), (some, others, completions) => {
        const [a, b] = [new Set(some), new Set(others)];
        const [one, other] = [none.with(some), none.with(others)];
        expect(one.size).toBe(a.size);
        expect(one.union(other).size).toBe(new Set([...a, ...b]).size);
        expect(one.common(other)).toBe([...a].filter((index) => b.has(index)).length);
        expect(IndexSet.parse(one.toString(), 100).toString()).toBe(one.toString());
        for (let index = 0; index < 32; index++) expect(one.has(index)).toBe(a.has(index));
        const free = Array.from({ length: completions }, (_, index) => index).filter((index) => !a.has(index));
        expect(one.missing(3, completions)).toEqual(free.slice(0, 3));
      }),
    );
  });
});
