import { isTolerated } from '@periplus/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeTolerations } from './runtime-class.ts';

const toleration = fc.record(
  {
    key: fc.constantFrom('a', 'b'),
    operator: fc.constantFrom('Exists' as const, 'Equal' as const),
    value: fc.constantFrom('x', 'y'),
    effect: fc.constantFrom('NoSchedule' as const, 'NoExecute' as const),
  },
  { requiredKeys: ['operator'] },
);
const taint = fc.record({
  key: fc.constantFrom('a', 'b', 'c'),
  value: fc.constantFrom('x', 'y', 'z'),
  effect: fc.constantFrom('NoSchedule' as const, 'NoExecute' as const),
});

describe('the tolerations of a pod and its runtime class', () => {
  it('tolerate together what either of them does, and nothing else', () => {
    const property = fc.property(fc.array(toleration), fc.array(toleration), taint, (first, second, one) => {
      const before = isTolerated(one, first) || isTolerated(one, second);
      expect(isTolerated(one, mergeTolerations(first, second))).toBe(before);
    });
    fc.assert(property);
  });

  it('are merged once', () => {
    const property = fc.property(fc.array(toleration), fc.array(toleration), (first, second) => {
      const merged = mergeTolerations(first, second);
      expect(mergeTolerations(merged, second)).toHaveLength(merged.length);
    });
    fc.assert(property);
  });

  it('keep the longer of two times', () => {
    const forSeconds = (tolerationSeconds: number) =>
      ({ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds }) as const;
    expect(mergeTolerations([forSeconds(10)], [forSeconds(20)])).toEqual([forSeconds(20)]);
  });
});
