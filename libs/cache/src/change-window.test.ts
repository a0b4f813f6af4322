import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChangeWindow, endOf, type Version } from './change-window.ts';
import type { Change } from './types.ts';

const changeAt = (revision: number, index = 0, size = 10): Change =>
  ({ type: 'modified', previous: null, entry: { revision, index, bytes: Buffer.alloc(size) } }) as unknown as Change;
const versionsOf = (changes: Change[] | undefined): Version[] | undefined =>
  changes?.map(({ entry: { revision, index } }) => ({ revision, index }));
const UNLIMITED = { changes: 1_000, bytes: 1_000_000 };

describe('ChangeWindow', () => {
  it('tells what came behind a version', () => {
    const window = new ChangeWindow(UNLIMITED, endOf(10));
    for (const [revision, index] of [
      [11, 0],
      [11, 1],
      [14, 0],
    ])
      window.push(changeAt(revision!, index));
    expect(versionsOf(window.since(endOf(10)))!.length).toBe(3);
    expect(versionsOf(window.since({ revision: 11, index: 0 }))).toEqual([
      { revision: 11, index: 1 },
      { revision: 14, index: 0 },
    ]);
    expect(window.since(endOf(11))!.length).toBe(1);
    expect(window.since({ revision: 14, index: 0 })).toEqual([]);
    expect(window.since(endOf(20))).toEqual([]);
  });

  it('knows nothing of what was before it began', () => {
    const window = new ChangeWindow(UNLIMITED, endOf(10));
    expect(window.since({ revision: 9, index: 0 })).toBeUndefined();
    expect(window.since({ revision: 10, index: 3 })).toBeUndefined();
    window.push(changeAt(12));
    window.restart(endOf(15));
    expect(window.since(endOf(14))).toBeUndefined();
    expect(window.since(endOf(15))).toEqual([]);
  });

  it('drops the oldest beyond its limits and says from where on it is complete', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 50 })), { maxLength: 200 }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 50, max: 400 }),
        (writes, changes, bytes) => {
          const window = new ChangeWindow({ changes, bytes }, endOf(0));
          const all: { version: Version; size: number }[] = [];
          let revision = 0;
          for (const [step, size] of writes) {
            revision += step;
            window.push(changeAt(revision, 0, size));
            all.push({ version: { revision, index: 0 }, size });
          }
          let kept = all.slice(-changes);
          while (kept.reduce((sum, { size }) => sum + size, 0) > bytes) kept = kept.slice(1);
          const dropped = all[all.length - kept.length - 1]?.version ?? endOf(0);
          expect(window.start).toEqual(dropped);
          expect(versionsOf(window.since(dropped))).toEqual(kept.map(({ version }) => version));
          if (dropped.revision > 0)
            expect(window.since({ ...dropped, revision: dropped.revision - 1 })).toBeUndefined();
        },
      ),
    );
  });

  it('lets go of what it has dropped', () => {
    const window = new ChangeWindow({ changes: 0, bytes: 0 }, endOf(0));
    for (let revision = 1; revision < 100; revision++) window.push(changeAt(revision));
    expect(window.since(endOf(98))).toBeUndefined();
    expect(window.since(endOf(99))).toEqual([]);
  });
});
