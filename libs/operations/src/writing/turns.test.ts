import { expect, it } from 'vitest';
import type { ClusterState } from '../cluster-state.ts';
import { Turns } from './turns.ts';

const turnsOn = (reached: number[]): Turns =>
  new Turns({
    reach: async (revision: number) => {
      reached.push(revision);
    },
  } as ClusterState);

it('lets changes of one object happen one after the other, each after the cache has the one before', async () => {
  const reached: number[] = [];
  const turns = turnsOn(reached);
  const log: string[] = [];
  const change = (name: string, revision: number) => async () => {
    log.push(`${name} begins`);
    await Promise.resolve();
    log.push(`${name} ends`);
    return { revision };
  };
  await Promise.all([
    turns.take('a', change('first', 5)),
    turns.take('a', change('second', 6)),
    turns.take('b', change('other', 7)),
    turns.take('a', change('third', 8)),
  ]);
  const ofA = log.filter((line) => !line.startsWith('other'));
  expect(ofA).toEqual(['first begins', 'first ends', 'second begins', 'second ends', 'third begins', 'third ends']);
  expect(log.indexOf('other begins')).toBeLessThan(log.indexOf('first ends'));
  expect(reached).toEqual([5, 6]);
});

it('goes on after a change that failed', async () => {
  const turns = turnsOn([]);
  const failing = turns.take('a', async () => {
    throw new Error('no');
  });
  const next = turns.take('a', async () => ({ revision: 1 }));
  await expect(failing).rejects.toThrow('no');
  await expect(next).resolves.toEqual({ revision: 1 });
});
