import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { historyOf, historyText, type ScalingHistory, withRecommendation, withRescale } from './scaling-history.ts';
import { type LimitRequest, limited, longestPeriod, longestWindow } from './scaling-limits.ts';

type Behavior = NonNullable<LimitRequest['behavior']>;

const PERIOD_SECONDS = 15;
const rules = fc.record({
  stabilizationWindowSeconds: fc.integer({ min: 0, max: 300 }),
  selectPolicy: fc.constantFrom('Max', 'Min', 'Disabled'),
  policies: fc.array(
    fc.record({
      type: fc.constantFrom('Pods', 'Percent'),
      value: fc.integer({ min: 1, max: 200 }),
      periodSeconds: fc.integer({ min: 1, max: 600 }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});
const behaviors = fc.option(fc.record({ scaleUp: rules, scaleDown: rules }), { nil: undefined });
const limits = fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 40 }));

interface Run {
  behavior: Behavior | undefined;
  /** How many there were after each look, the first being those at the start. */
  counts: number[];
}

/** An autoscaler that is asked for these numbers, one each period. */
function run(
  behavior: Behavior | undefined,
  [min, more]: readonly [number, number],
  start: number,
  asked: readonly number[],
): Run {
  const [minReplicas, maxReplicas] = [min, min + more];
  let current = Math.min(Math.max(start, minReplicas), maxReplicas);
  let history: ScalingHistory = { recommended: [[0, current]], rescaled: [] };
  const counts = [current];
  asked.forEach((desiredReplicas, i) => {
    const nowSeconds = (i + 1) * PERIOD_SECONDS;
    const { replicas } = limited({
      ...{ behavior, history, currentReplicas: current, desiredReplicas, minReplicas, maxReplicas, nowSeconds },
      downSeconds: 300,
    });
    history = withRecommendation(history, desiredReplicas, nowSeconds, longestWindow(behavior, 300));
    if (behavior && replicas !== current) {
      history = withRescale(history, replicas - current, nowSeconds, longestPeriod(behavior));
    }
    // What is remembered is what was written.
    const annotations = { 'autoscaling.periplus.dev/history': historyText(history) };
    history = historyOf({ apiVersion: 'v1', kind: 'X', metadata: { annotations } });
    current = replicas;
    counts.push(current);
  });
  return { behavior, counts };
}

const asked = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 60 });

describe('whatever is asked for', () => {
  it('stays within the limits', () => {
    fc.assert(
      fc.property(behaviors, limits, fc.integer({ min: 1, max: 60 }), asked, (behavior, range, start, numbers) => {
        const [min, more] = range;
        for (const count of run(behavior, range, start, numbers).counts) {
          expect(count).toBeGreaterThanOrEqual(min);
          expect(count).toBeLessThanOrEqual(min + more);
        }
      }),
    );
  });

  it('never flaps: what was wanted within the window is not taken away', () => {
    fc.assert(
      fc.property(behaviors, limits, fc.integer({ min: 1, max: 60 }), asked, (behavior, range, start, numbers) => {
        const { counts } = run(behavior, range, start, numbers);
        const window = behavior?.scaleDown?.stabilizationWindowSeconds ?? 300;
        numbers.forEach((_, i) => {
          if (counts[i + 1]! >= counts[i]!) return;
          const looks = Math.floor((window - 1) / PERIOD_SECONDS);
          const recent = numbers.slice(Math.max(0, i - Math.max(0, looks)), i + 1);
          const wanted = Math.min(Math.max(...recent), range[0] + range[1]);
          expect(counts[i + 1]).toBeGreaterThanOrEqual(Math.max(Math.min(wanted, counts[i]!), range[0]));
        });
      }),
    );
  });

  it('adds and takes away no more in any period than the most generous policy allows', () => {
    fc.assert(
      fc.property(rules, rules, limits, asked, (scaleUp, scaleDown, range, numbers) => {
        const { counts } = run({ scaleUp, scaleDown }, range, 1, numbers);
        counts.forEach((count, end) => {
          for (const [{ selectPolicy, policies }, sign] of [
            [scaleUp, 1],
            [scaleDown, -1],
          ] as const) {
            const change = end === 0 ? 0 : sign * (count - counts[end - 1]!);
            if (change <= 0) continue;
            expect(selectPolicy).not.toBe('Disabled');
            const allowed = policies.map(({ type, value, periodSeconds }) => {
              // Changes at the looks that lie strictly within the period before this one.
              const first = Math.max(0, end - 1 - Math.floor((periodSeconds - 1) / PERIOD_SECONDS));
              const before = counts[first]!;
              const limit =
                type === 'Pods'
                  ? before + sign * value
                  : sign > 0
                    ? Math.ceil(before * (1 + value / 100))
                    : Math.trunc(before * (1 - value / 100));
              return sign * limit;
            });
            expect(sign * count).toBeLessThanOrEqual(Math.max(...allowed));
          }
        });
      }),
    );
  });
});

describe('the history', () => {
  it('is bounded, and forgets what nobody looks at any more', () => {
    let history: ScalingHistory = { recommended: [], rescaled: [] };
    for (let i = 0; i < 1_000; i++) {
      history = withRecommendation(history, i, i, 100_000);
      history = withRescale(history, 1, i, 100_000);
    }
    expect(history.recommended).toHaveLength(240);
    expect(history.rescaled).toHaveLength(240);
    history = withRecommendation(withRescale(history, 1, 200_000, 60), 5, 200_000, 60);
    expect(history.recommended).toEqual([
      [999, 999],
      [200_000, 5],
    ]);
    expect(history.rescaled).toEqual([[200_000, 1]]);
  });

  it.each(['', '[]', '{"recommended":7}', '{"recommended":[[1],["a",2],[1,2.5]],"rescaled":null}', 'null'])(
    'that somebody else wrote is forgotten: %s',
    (text) => {
      const annotations = { 'autoscaling.periplus.dev/history': text };
      expect(historyOf({ apiVersion: 'v1', kind: 'X', metadata: { annotations } })).toEqual({
        ...{ recommended: [], rescaled: [] },
      });
    },
  );
});
