import type { Entry } from '@periplus/cache';
import { type Store, type Write, WriteConflict } from '@periplus/store';
import { expect, it } from 'vitest';
import type { ClusterState } from '../cluster-state.ts';
import { removeOldEvents } from './event-retention.ts';

const HOUR = 3_600_000;

it('removes events that nobody has written for an hour, and minds nobody who is faster', async () => {
  const entry = (name: string, timeMs: number) =>
    ({ key: { group: '', resource: 'events', namespace: 'x', name }, revision: 7, provenance: { timeMs } }) as Entry;
  const entries = [entry('old', 0), entry('taken', 1), entry('young', HOUR)];
  const cluster = { cache: { list: () => entries } } as unknown as ClusterState;
  const removed: Write[] = [];
  const store = {
    commit: async (write: Write) => {
      removed.push(write);
      if (write.key.name === 'taken') throw new WriteConflict(9, null);
    },
  } as unknown as Store;
  await removeOldEvents(cluster, store, HOUR + 100);
  expect(removed.map(({ key, object, ifRevision }) => [key.name, object, ifRevision])).toEqual([
    ['old', null, 7],
    ['taken', null, 7],
  ]);
});
