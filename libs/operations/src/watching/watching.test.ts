import { configMap, type Kind } from '@periplus/api';
import type { KubeObject, StatusError } from '@periplus/apimachinery';
import { type Change, type Entry, endOf, type Version } from '@periplus/cache';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { CacheReader } from '../cluster-state.ts';
import { parseSelection } from '../reading/selection.ts';
import type { WatchChunk, WatchEncoding, WatchSink } from '../types.ts';
import { restAfter, WatchFanOut } from './fan-out.ts';
import type { WatchSubject } from './watch-group.ts';

const kind = configMap as unknown as Kind;
const encoding: WatchEncoding = {
  name: 'text',
  encode: ({ type, object, resourceVersion }) =>
    Buffer.from(`${type} ${object.metadata.name ?? ''} ${resourceVersion};`),
};

const entryOf = (name: string, revision: number, labels: Record<string, string>): Entry => {
  const object: KubeObject = {
    ...{ kind: 'ConfigMap', apiVersion: 'v1' },
    metadata: { resourceVersion: String(revision), name, namespace: 'x', labels },
  };
  return {
    ...{ key: { group: '', resource: 'configmaps', namespace: 'x', name }, revision, index: 0 },
    ...{ createRevision: 1, resourceVersion: String(revision), object, bytes: Buffer.from(JSON.stringify(object)) },
  } as Entry;
};

/** The part of a cache that watches need, with a window that forgets. */
class SmallCache {
  revision = 0;
  changes: Change[] = [];
  forgotten = 0;
  readonly objects = new Map<string, Entry>();
  private listener: (revision: number, changes: readonly Change[]) => void = () => {};

  subscribe(listener: (revision: number, changes: readonly Change[]) => void): () => void {
    this.listener = listener;
    return () => {};
  }
  changesSince(_: unknown, { revision }: Version): readonly Change[] | undefined {
    return revision < this.forgotten ? undefined : this.changes.filter(({ entry }) => entry.revision > revision);
  }
  oldest(): Version {
    return endOf(this.forgotten);
  }
  forget(): void {
    this.forgotten = this.revision;
    this.changes = [];
  }
  apply(name: string, labels: Record<string, string> | null): void {
    const previous = this.objects.get(name) ?? null;
    if (labels === null && previous === null) return;
    this.revision++;
    const entry = entryOf(name, this.revision, labels ?? (previous!.object.metadata.labels as Record<string, string>));
    const type = labels === null ? 'deleted' : previous === null ? 'added' : 'modified';
    if (labels === null) this.objects.delete(name);
    else this.objects.set(name, entry);
    const change: Change = { type, entry, previous };
    this.changes.push(change);
    this.listener(this.revision, [change]);
  }
}

class Sink implements WatchSink {
  text = '';
  waiting = 0;
  ended: StatusError | null | undefined;
  write({ bytes }: WatchChunk): void {
    this.text += bytes.toString();
  }
  backlogBytes(): number {
    return this.waiting;
  }
  end(error: StatusError | null): void {
    this.ended = error;
  }
}

let cache: SmallCache;
let fanOut: WatchFanOut;
beforeEach(() => {
  vi.useFakeTimers();
  cache = new SmallCache();
  fanOut = new WatchFanOut(cache as unknown as CacheReader);
});
afterEach(() => {
  fanOut.close();
  vi.useRealTimers();
});
const turns = () => vi.advanceTimersByTime(100);

const subject = (labels = ''): WatchSubject => ({
  kind,
  namespace: 'x',
  selection: parseSelection(kind, labels),
  encoding,
  bookmarks: false,
});
const open = (labels = '', at = cache.revision) => {
  const sink = new Sink();
  const start = { position: endOf(at), initial: [], marksEnd: false };
  const watch = fanOut.open(subject(labels), start, sink, 1e9);
  return { sink, watch };
};

it('tells every watch of a selection what leads from one state to the next, whenever it looks away', () => {
  const step = fc.oneof(
    fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom({ s: '1' }, { s: '2' }, null)),
    fc.constantFrom('slow' as const, 'quick' as const, 'turn' as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      cache = new SmallCache();
      fanOut = new WatchFanOut(cache as unknown as CacheReader);
      const { sink, watch } = open('s=1');
      const steady = open('s=1');
      turns();
      for (const one of steps) {
        if (one === 'slow') sink.waiting = 1 << 20;
        else if (one === 'turn') turns();
        else if (one === 'quick') {
          sink.waiting = 0;
          watch.drained();
        } else cache.apply(one[0], one[1]);
      }
      sink.waiting = 0;
      watch.drained();
      turns();
      turns();
      expect(sink.text).toBe(steady.sink.text);
      const state = new Set<string>();
      for (const event of sink.text.split(';').filter((text) => text !== '')) {
        const [type, name] = event.split(' ') as [string, string];
        expect(state.has(name)).toBe(type !== 'ADDED');
        if (type === 'DELETED') state.delete(name);
        else state.add(name);
      }
      const selected = [...cache.objects.values()].filter(({ object }) => object.metadata.labels?.s === '1');
      expect([...state].sort()).toEqual(selected.map(({ key }) => key.name).sort());
      fanOut.close();
    }),
    { numRuns: 200 },
  );
});

it('begins in the middle of what others get, without gap or repetition', () => {
  const early = open();
  turns();
  cache.apply('a', {});
  const { sink } = open('', 0);
  cache.apply('b', {});
  turns();
  cache.apply('c', {});
  turns();
  expect(early.sink.text).toBe('ADDED a 1;ADDED b 2;ADDED c 3;');
  expect(sink.text).toBe(early.sink.text);
});

it('ends a watch whose place is forgotten while it is behind', () => {
  const { sink, watch } = open();
  turns();
  sink.waiting = 1 << 20;
  cache.apply('a', {});
  turns();
  cache.apply('b', {});
  cache.forget();
  sink.waiting = 0;
  watch.drained();
  expect(sink.ended).toMatchObject({ reason: 'Expired' });
  expect(fanOut.watchCount).toBe(0);
});

it('cuts off a client that takes nothing', () => {
  const { sink } = open();
  turns();
  sink.waiting = 1 << 20;
  cache.apply('a', {});
  turns();
  expect(sink.ended).toBeUndefined();
  vi.advanceTimersByTime(31_000);
  expect(sink.ended).toBeNull();
});

it('goes on with a client whose stream forgot to say that it has room', () => {
  const { sink } = open();
  turns();
  sink.waiting = 1 << 20;
  cache.apply('a', {});
  turns();
  sink.waiting = 0;
  vi.advanceTimersByTime(31_000);
  expect(sink.text).toBe('ADDED a 1;');
});

it('says nothing from a version to come on until it has come, and all that comes then', () => {
  const early = open('', 3);
  const stopped = open('', 3);
  turns();
  cache.apply('a', {});
  cache.apply('b', {});
  early.watch.drained();
  cache.apply('c', {});
  stopped.watch.stop();
  turns();
  expect([early.sink.text, early.sink.ended]).toEqual(['', undefined]);
  cache.apply('d', {});
  cache.apply('a', null);
  turns();
  expect(early.sink.text).toBe('ADDED d 4;DELETED a 5;');
  expect(stopped.sink.text).toBe('');
  const far = open('', 7);
  turns();
  cache.revision = 8;
  cache.apply('e', {});
  turns();
  expect(far.sink.text).toBe('ADDED e 9;');
});

it('forgets a watch that was stopped', () => {
  const { sink, watch } = open();
  turns();
  watch.stop();
  cache.apply('a', {});
  turns();
  expect([sink.text, sink.ended, fanOut.watchCount]).toEqual(['', undefined, 0]);
});

it('sends bookmarks to those who want them', () => {
  const sink = new Sink();
  const start = { position: endOf(0), initial: [], marksEnd: false };
  fanOut.open({ ...subject(), bookmarks: true }, start, sink, 1e9);
  const other = open();
  turns();
  cache.revision = 5;
  vi.advanceTimersByTime(61_000);
  expect(sink.text).toBe(`BOOKMARK  ${5 * 4_096 + 4_095};`);
  expect(other.sink.text).toBe('');
});

it.each([
  // flush, rest: an event waits for both and then its own flush.
  [0, 0],
  [1, 1.5],
  [10, 10],
  [12, 6],
  [60, 12],
])('rests after a delivery of %d ms for %d ms', (flushMs, restMs) => {
  expect(restAfter(flushMs)).toBe(restMs);
});
