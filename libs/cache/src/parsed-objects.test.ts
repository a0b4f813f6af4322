import { expect, it } from 'vitest';
import { ParsedObjects } from './parsed-objects.ts';

it('forgets whoever was parsed first when there are too many, and nobody who has gone', () => {
  const parsed = new ParsedObjects();
  const forgotten: number[] = [];
  const add = (name: number): number => parsed.add({ forget: () => forgotten.push(name) });
  const slots = Array.from({ length: 8_192 }, (_, name) => add(name));
  expect(forgotten).toEqual([]);
  parsed.remove(slots[1]!);
  for (let name = 10_000; name < 10_003; name++) add(name);
  expect(forgotten).toEqual([0, 2]);
});
