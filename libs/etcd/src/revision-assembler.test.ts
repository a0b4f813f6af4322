import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RevisionAssembler } from './revision-assembler.ts';
import type { RevisionBatch, WatchEvent } from './types.ts';

const event = (revision: number, at = 0): WatchEvent => ({
  type: 'put',
  kv: {
    key: `/${revision}/${at}`,
    value: Buffer.alloc(0),
    createRevision: revision,
    modRevision: revision,
    version: 1,
    lease: '0',
  },
});

/** Feeds an assembler and keeps what it delivers. */
function recorded(startRevision: number) {
  const assembler = new RevisionAssembler(startRevision);
  const batches: RevisionBatch[] = [];
  const take = (events: WatchEvent[], moreFollows = false): void =>
    assembler.take(events, moreFollows, (batch) => batches.push(batch));
  return { assembler, batches, take };
}

test('a revision that may go on in the next fragment is held back, those before it are not', () => {
  const { assembler, batches, take } = recorded(5);
  take([event(5), event(6, 0)], true);
  expect(batches.map(({ revision }) => revision)).toEqual([5]);
  expect(assembler.next).toBe(6);
  take([event(6, 1)]);
  expect(batches[1]).toEqual({ revision: 6, events: [event(6, 0), event(6, 1)] });
  expect(assembler.next).toBe(7);
});

test('progress moves the resume point forward only', () => {
  const { assembler, batches, take } = recorded(5);
  assembler.advance(8);
  assembler.advance(6);
  expect(assembler.next).toBe(9);
  take([event(7), event(9)]);
  expect(batches).toEqual([{ revision: 9, events: [event(9)] }]);
});

/** A log: how many events each revision has, and etcd's responses cut into fragments at random. */
const logs = fc.record({
  sizes: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 30 }),
  revisionsPerResponse: fc.integer({ min: 1, max: 8 }),
  fragmentEvents: fc.integer({ min: 1, max: 5 }),
  /** After how many messages each stream breaks. */
  breaks: fc.array(fc.integer({ min: 0, max: 10 }), { maxLength: 12 }),
});

test('however responses are fragmented and streams break, each revision comes once, whole and in order', () => {
  fc.assert(
    fc.property(logs, ({ sizes, revisionsPerResponse, fragmentEvents, breaks }) => {
      const log = sizes.map((size, at) => Array.from({ length: size }, (_, i) => event(at + 10, i)));
      const { assembler, batches, take } = recorded(10);
      for (const messages of [...breaks, Number.POSITIVE_INFINITY]) {
        stream(log, assembler.next, revisionsPerResponse, fragmentEvents)
          .slice(0, messages)
          .forEach((message) => {
            take(message.events, message.moreFollows);
          });
        assembler.reset();
      }
      expect(batches).toEqual(log.map((events, at) => ({ revision: at + 10, events })));
    }),
  );
});

/** What etcd sends to a watch that starts at `from`. */
function stream(log: WatchEvent[][], from: number, revisionsPerResponse: number, fragmentEvents: number) {
  const messages: { events: WatchEvent[]; moreFollows: boolean }[] = [];
  const rest = log.slice(from - 10);
  for (let at = 0; at < rest.length; at += revisionsPerResponse) {
    const response = rest.slice(at, at + revisionsPerResponse).flat();
    for (let i = 0; i < response.length; i += fragmentEvents) {
      const events = response.slice(i, i + fragmentEvents);
      messages.push({ events, moreFollows: i + fragmentEvents < response.length });
    }
  }
  return messages;
}
