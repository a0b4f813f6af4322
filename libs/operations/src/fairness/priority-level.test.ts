import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  PriorityLevel,
  type Queuing,
  type Seat,
  type TooManyRequests,
  WAIT_MS_MAX,
  type Waiting,
} from './priority-level.ts';

let nowMs = 0;
beforeEach(() => {
  nowMs = 0;
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

function levelWith(limit: number, queuing: Queuing | null = { queues: 64, handSize: 6, queueLengthLimit: 1_000 }) {
  const level = new PriorityLevel('test', () => nowMs);
  level.limit = limit;
  level.queuing = queuing;
  return level;
}
const enter = (level: PriorityLevel, flow: string, width = 1): Seat | Waiting =>
  level.seat(width) ?? level.queue(flow, width);
const why = (action: () => unknown): string => {
  try {
    action();
    return 'nothing';
  } catch (error) {
    return (error as TooManyRequests).why;
  }
};

describe('a level', () => {
  it('serves at once what there are seats for, then lets wait', async () => {
    const level = levelWith(2);
    const [one] = [level.seat(1), level.seat(1)];
    expect(level.seat(1)).toBeNull();
    const waiting = level.queue('a', 1);
    expect([level.executing, level.waiting]).toEqual([2, 1]);
    one!.release();
    one!.release();
    const seat = await waiting.seat;
    expect([level.executing, level.waiting]).toEqual([2, 0]);
    seat.release();
    expect(level.executing).toBe(1);
  });

  it('refuses what it has no queue for, what its queues are too short for, and what waited too long', async () => {
    const rejecting = levelWith(1, null);
    rejecting.seat(1);
    expect(why(() => rejecting.queue('a', 1))).toBe('concurrency-limit');
    const level = levelWith(1, { queues: 1, handSize: 1, queueLengthLimit: 2 });
    level.seat(1);
    const waiting = [level.queue('a', 1), level.queue('b', 1)];
    expect(why(() => level.queue('c', 1))).toBe('queue-full');
    const refused = Promise.allSettled(waiting.map(({ seat }) => seat));
    waiting[0]!.withdraw();
    vi.advanceTimersByTime(WAIT_MS_MAX);
    const reasons = (await refused).map((one) =>
      one.status === 'rejected' ? (one.reason as TooManyRequests).why : '',
    );
    expect(reasons).toEqual(['cancelled', 'time-out']);
    expect(level.waiting).toBe(0);
  });

  it('lets a wide request wait for enough seats, and serves one that is wider than the level alone', async () => {
    const level = levelWith(4);
    const small = level.seat(1)!;
    const wide = level.queue('a', 4);
    // There is a seat for this one, but if it overtook, the wide one might wait for ever.
    level.queue('b', 1);
    expect(level.waiting).toBe(2);
    level.limit = 2;
    small.release();
    const seat = await wide.seat;
    expect([seat.width, level.waiting]).toEqual([4, 1]);
  });

  it('serves who waits when it gets more seats', () => {
    const level = levelWith(1);
    level.seat(1);
    for (let i = 0; i < 5; i++) level.queue('a', 1);
    level.limit = 4;
    level.dispatch();
    expect([level.executing, level.waiting]).toEqual([4, 2]);
  });
});

/** Serves everything that was asked for, each for as long as its flow takes; tells what each flow got, in order. */
async function run(level: PriorityLevel, wanted: readonly { flow: string; tookMs: number }[]): Promise<string[]> {
  const served: string[] = [];
  const running: { endMs: number; seat: Seat }[] = [];
  for (const { flow, tookMs } of wanted) {
    const begin = (seat: Seat) => {
      served.push(flow);
      running.push({ endMs: nowMs + tookMs, seat });
    };
    const place = enter(level, flow);
    if ('seat' in place) void place.seat.then(begin);
    else begin(place);
  }
  while (running.length > 0) {
    running.sort((a, b) => a.endMs - b.endMs);
    const { endMs, seat } = running.shift()!;
    nowMs = Math.max(nowMs, endMs);
    seat.release();
    await Promise.resolve();
    await Promise.resolve();
  }
  return served;
}

describe('flows of a level', () => {
  it('that ask little are served soon, however much another asks for', async () => {
    const level = levelWith(4);
    const elephant = Array.from({ length: 500 }, () => ({ flow: 'elephant', tookMs: 10 }));
    const mice = Array.from({ length: 10 }, () => ({ flow: 'mouse', tookMs: 10 }));
    const served = await run(level, [...elephant, ...mice]);
    expect(served).toHaveLength(510);
    // One of the elephant's six queues each, and then the mouse.
    expect(served.lastIndexOf('mouse')).toBeLessThan(4 + 10 * 8);
  });

  it('get as much time as the others, not as many requests', async () => {
    const level = levelWith(1, { queues: 64, handSize: 1, queueLengthLimit: 1_000 });
    const slow = Array.from({ length: 50 }, () => ({ flow: 'slow', tookMs: 100 }));
    const quick = Array.from({ length: 100 }, () => ({ flow: 'quick', tookMs: 10 }));
    const served = await run(level, [...slow, ...quick]);
    const sofar = served.slice(0, served.lastIndexOf('quick'));
    const count = (flow: string) => sofar.filter((one) => one === flow).length;
    expect(count('slow')).toBeGreaterThan(5);
    expect(count('slow')).toBeLessThan(20);
  });

  it('never take more than there is, and all are served or refused in the end', async () => {
    const requests = fc.array(
      fc.record({ flow: fc.constantFrom('a', 'b', 'c'), tookMs: fc.integer({ min: 0, max: 50 }) }),
      {
        maxLength: 60,
      },
    );
    await fc.assert(
      fc.asyncProperty(requests, fc.integer({ min: 1, max: 5 }), async (wanted, limit) => {
        const level = levelWith(limit);
        const served = await run(level, wanted);
        expect(served.toSorted()).toEqual(wanted.map(({ flow }) => flow).toSorted());
        expect([level.executing, level.executingRequests, level.waiting]).toEqual([0, 0, 0]);
        expect(level.highWater).toBe(wanted.length);
      }),
    );
  });
});
