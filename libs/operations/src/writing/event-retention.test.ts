import type { Change, ChangeListener, Entry, ResourceId } from '@periplus/cache';
import { type Store, type Write, WriteConflict } from '@periplus/store';
import { expect, it, vi } from 'vitest';
import type { ClusterState } from '../cluster-state.ts';
import { keepEventsShort, removeEvents } from './event-retention.ts';

const HOUR = 3_600_000;
const SOON = { timeout: 20_000 };

const entry = (namespace: string, name: string, timeMs: number) =>
  ({ key: { group: '', resource: 'events', namespace, name }, revision: 7, provenance: { timeMs } }) as Entry;

/** A cluster of these events and the namespace x. */
const clusterOf = (events: Entry[], listen: (listener: ChangeListener) => void = () => undefined) => {
  const namespaces = [{ key: { group: '', resource: 'namespaces', namespace: '', name: 'x' } }];
  const list = ({ resource }: ResourceId) => (resource === 'namespaces' ? namespaces : events);
  const subscribe = (listener: ChangeListener) => {
    listen(listener);
    return () => undefined;
  };
  return { cache: { list, subscribe } } as unknown as ClusterState;
};

it('removes events that nobody has written for an hour, and minds nobody who is faster', async () => {
  const cluster = clusterOf([entry('x', 'old', 0), entry('x', 'taken', 1), entry('x', 'young', HOUR)]);
  const removed: Write[] = [];
  const store = {
    commit: async (write: Write) => {
      removed.push(write);
      if (write.key.name === 'taken') throw new WriteConflict(9, null);
    },
  } as unknown as Store;
  await removeEvents(cluster, store, HOUR + 100);
  expect(removed.map(({ key, object, ifRevision }) => [key.name, object, ifRevision])).toEqual([
    ['old', null, 7],
    ['taken', null, 7],
  ]);
});

it('removes the events of a namespace as soon as that is gone', async () => {
  const now = Date.now();
  let tell: ChangeListener = () => undefined;
  const cluster = clusterOf([entry('gone', 'left', now), entry('x', 'kept', now)], (listener) => {
    tell = listener;
  });
  const commit = vi.fn(async (_: Write) => undefined);
  const stop = keepEventsShort(cluster, { commit } as unknown as Store);
  const change = (type: Change['type'], resource: string) =>
    ({ type, entry: { key: { group: '', resource, namespace: '', name: 'gone' } } }) as Change;
  tell(1, [change('modified', 'namespaces'), change('deleted', 'nodes')]);
  expect(commit).not.toHaveBeenCalled();
  tell(2, [change('deleted', 'namespaces')]);
  await vi.waitFor(() => expect(commit).toHaveBeenCalled(), SOON);
  expect(commit.mock.calls.map(([{ key }]) => key.name)).toEqual(['left']);
  stop();
});
