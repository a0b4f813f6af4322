import { expect, it } from 'vitest';
import { differences } from './differences.ts';

it('differences names each place, old and new', () => {
  const old = { a: 1, list: [{ x: 1 }, { x: 2 }], gone: 'g', same: {} };
  const now = { a: 2, list: [{ x: 1 }, { x: 3 }], added: ['n'] };
  expect(differences(old, now, 'spec')).toEqual([
    '  spec.a: 1 -> 2',
    '  spec.list[1].x: 2 -> 3',
    '  spec.gone: "g" -> unset',
    '  spec.added: unset -> ["n"]',
  ]);
});

it('differences stops where nobody reads on', () => {
  const many = (from: number) => Array.from({ length: 20 }, (_, i) => from + i);
  expect(differences(many(0), many(1), 'list')).toHaveLength(11);
});
