import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { currentLimits, seatBounds } from './concurrency-limits.ts';

const shares = (of: number, lendablePercent = 50, borrowingLimitPercent: number | null = null) => ({
  shares: of,
  lendablePercent,
  borrowingLimitPercent,
});

describe('seatBounds', () => {
  it('divides the seats by shares, rounded up', () => {
    expect(seatBounds([shares(30, 33), shares(10, 0), shares(0)], 100)).toEqual([
      { nominal: 75, min: 50, max: 100 },
      { nominal: 25, min: 25, max: 100 },
      { nominal: 0, min: 0, max: 100 },
    ]);
    expect(seatBounds([shares(1, 0, 20), shares(1)], 100)[0]).toEqual({ nominal: 50, min: 50, max: 60 });
    expect(seatBounds([shares(0)], 100)).toEqual([{ nominal: 0, min: 0, max: 100 }]);
  });
});

describe('currentLimits', () => {
  const TOTAL = 600;
  const levels = fc.array(
    fc.record({
      shares: fc.integer({ min: 0, max: 200 }),
      lendablePercent: fc.integer({ min: 0, max: 100 }),
      borrowingLimitPercent: fc.option(fc.integer({ min: 0, max: 300 })),
      demand: fc.integer({ min: 0, max: 2_000 }),
    }),
    { minLength: 1, maxLength: 12 },
  );

  it('gives no more than there is, keeps within bounds, and leaves nobody with shares without a seat', () => {
    fc.assert(
      fc.property(levels, (all) => {
        const bounds = seatBounds(all, TOTAL);
        const limits = currentLimits(
          all.map(({ demand }, i) => ({ ...bounds[i]!, demand })),
          TOTAL,
        );
        // Nominal seats are rounded up, one for each level.
        expect(limits.reduce((sum, limit) => sum + limit, 0)).toBeLessThanOrEqual(TOTAL + 2 * all.length);
        limits.forEach((limit, i) => {
          const { nominal, min, max } = bounds[i]!;
          expect(limit).toBeGreaterThanOrEqual(Math.max(min, nominal > 0 ? 1 : 0) - 1);
          expect(limit).toBeLessThanOrEqual(Math.max(max, 1));
        });
      }),
    );
  });

  it('lends what others do not want to who wants it, and takes it back', () => {
    const bounds = seatBounds([shares(50, 90), shares(50, 90)], TOTAL);
    const at = (one: number, other: number) =>
      currentLimits(
        [one, other].map((demand, i) => ({ ...bounds[i]!, demand })),
        TOTAL,
      );
    const [busy, idle] = at(1_000, 0);
    expect(busy).toBeGreaterThan(550);
    expect(idle).toBeGreaterThanOrEqual(30);
    expect(at(1_000, 1_000)).toEqual([300, 300]);
  });
});
