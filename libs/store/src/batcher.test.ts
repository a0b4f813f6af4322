import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Batchable, Batcher } from './batcher.ts';

interface Item extends Batchable {
  id: number;
}

const item = (id: number, of: Partial<Batchable> = {}): Item => ({
  ...{ id, touches: [`key-${id}`], bytes: 100, operations: 2, writes: 1, sinceMs: 0 },
  ...of,
});
const items = (count: number): Item[] => Array.from({ length: count }, (_, id) => item(id));
const batcherOf = (waiting: readonly Item[]): Batcher<Item> => {
  const batcher = new Batcher<Item>();
  for (const each of waiting) batcher.add(each);
  return batcher;
};
const idsOf = (batch: readonly Item[]): number[] => batch.map(({ id }) => id);
const ALL = Number.POSITIVE_INFINITY;

describe('Batcher', () => {
  it('hands out what waits, in the order it came', () => {
    const batcher = batcherOf(items(5));
    expect(idsOf(batcher.take(ALL))).toEqual([0, 1, 2, 3, 4]);
    expect(batcher.take(ALL)).toEqual([]);
    expect(batcher).toMatchObject({ size: 0, bytes: 0 });
  });

  it('hands out no more than asked for', () => {
    const batcher = batcherOf(items(5));
    expect(idsOf(batcher.take(2))).toEqual([0, 1]);
    expect(idsOf(batcher.take(2))).toEqual([2, 3]);
  });

  it('keeps a transaction within the number of operations that etcd takes', () => {
    // etcd adds the operations of the transaction, one of them the store's own, to those of its largest nested one.
    expect(batcherOf(items(200)).take(ALL).length).toBe(128 - 1 - 2);
    const large = item(0, { operations: 100 });
    expect(batcherOf([large, ...items(200)]).take(ALL).length).toBe(128 - 1 - 100);
  });

  it('keeps a transaction within its size, and sends alone what is larger by itself', () => {
    const half = items(4).map((each) => ({ ...each, bytes: 512 << 10 }));
    expect(idsOf(batcherOf(half).take(ALL))).toEqual([0, 1]);
    const huge = [item(0, { bytes: 3 << 20 }), item(1)];
    const batcher = batcherOf(huge);
    expect(idsOf(batcher.take(ALL))).toEqual([0]);
    expect(idsOf(batcher.take(ALL))).toEqual([1]);
  });

  it('puts no key twice into a transaction and keeps the order of each key', () => {
    const batcher = batcherOf([
      item(0, { touches: ['a'] }),
      item(1, { touches: ['a', 'b'] }),
      item(2, { touches: ['b'] }),
      item(3, { touches: ['c'] }),
    ]);
    expect(idsOf(batcher.take(ALL))).toEqual([0, 3]);
    expect(idsOf(batcher.take(ALL))).toEqual([1]);
    expect(idsOf(batcher.take(ALL))).toEqual([2]);
  });

  it('refuses what is beyond its limits until there is room', () => {
    const batcher = batcherOf(items(10_000));
    expect(batcher.add(item(-1))).toBe(false);
    batcher.take(1);
    expect(batcher.add(item(-1))).toBe(true);
    const large = batcherOf([item(0, { bytes: 64 << 20 })]);
    expect(large.add(item(1))).toBe(false);
  });

  it('takes back at the head, without a limit', () => {
    const batcher = batcherOf(items(10_000));
    const batch = batcher.take(ALL);
    batcher.add(item(-1));
    batcher.putBack(batch);
    expect(idsOf(batcher.take(3))).toEqual([0, 1, 2]);
  });

  it('gives up those that came before a moment', () => {
    const batcher = batcherOf([item(0, { sinceMs: 5 }), item(1, { sinceMs: 1 }), item(2, { sinceMs: 9 })]);
    expect(idsOf(batcher.takeOlder(6))).toEqual([0, 1]);
    expect(idsOf(batcher.take(ALL))).toEqual([2]);
    expect(batcher.bytes).toBe(0);
  });

  it('hands out everything exactly once, whatever the keys are', () => {
    const keys = fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(keys, { maxLength: 600 }), fc.integer({ min: 1, max: 200 }), (touched, portion) => {
        const all = touched.map((numbers, id) => item(id, { touches: numbers.map((number) => `key-${number}`) }));
        const batcher = batcherOf(all);
        const given: Item[] = [];
        while (batcher.size > 0) {
          const batch = batcher.take(portion);
          const keysOfBatch = batch.flatMap(({ touches }) => touches);
          expect(new Set(keysOfBatch).size).toBe(keysOfBatch.length);
          expect(batch.length).toBeGreaterThan(0);
          given.push(...batch);
        }
        expect(idsOf(given).sort((a, b) => a - b)).toEqual(idsOf(all));
        for (let key = 0; key < 10; key++) {
          const ofKey = given.filter(({ touches }) => touches.includes(`key-${key}`));
          expect(idsOf(ofKey)).toEqual(idsOf(ofKey).sort((a, b) => a - b));
        }
        expect(batcher.bytes).toBe(0);
      }),
      { numRuns: 30 },
    );
  });
});
