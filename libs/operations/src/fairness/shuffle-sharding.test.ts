import fc from 'fast-check';
import { expect, it } from 'vitest';
import { handOf } from './shuffle-sharding.ts';

it('deals every flow different queues that exist, always the same ones', () => {
  const decks = fc
    .integer({ min: 1, max: 500 })
    .chain((queues) => fc.tuple(fc.constant(queues), fc.integer({ min: 1, max: Math.min(queues, 8) })));
  fc.assert(
    fc.property(fc.string(), decks, (flow, [queues, handSize]) => {
      const hand = handOf(flow, queues, handSize);
      expect(new Set(hand).size).toBe(handSize);
      expect(hand.every((queue) => queue >= 0 && queue < queues)).toBe(true);
      expect(handOf(flow, queues, handSize)).toEqual(hand);
    }),
  );
});

it('spreads flows over all queues, and seldom deals two of them the same', () => {
  const hands = Array.from({ length: 2_000 }, (_, i) => handOf(`flow-${i}`, 64, 6));
  const counts = new Array<number>(64).fill(0);
  for (const hand of hands) for (const queue of hand) counts[queue]!++;
  // 187.5 each.
  expect(Math.min(...counts)).toBeGreaterThan(120);
  expect(Math.max(...counts)).toBeLessThan(260);
  const first = new Set(hands[0]);
  expect(hands.slice(1).filter((hand) => hand.every((queue) => first.has(queue)))).toEqual([]);
});
