import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from './clock.ts';
import { DelayQueue } from './delay-queue.ts';
import { WorkQueue } from './work-queue.ts';

class TestClock implements Clock {
  now = 0;
  timers = new Set<{ dueMs: number; callback(): void }>();
  nowMs(): number {
    return this.now;
  }
  after(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.now + delayMs, callback };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }
  advance(ms: number): void {
    const endMs = this.now + ms;
    for (;;) {
      const [next] = [...this.timers].sort((a, b) => a.dueMs - b.dueMs);
      if (!next || next.dueMs > endMs) break;
      this.timers.delete(next);
      this.now = Math.max(this.now, next.dueMs);
      next.callback();
    }
    this.now = endMs;
  }
}

let clock: TestClock;
let ready: number;
let queue: WorkQueue<string>;
beforeEach(() => {
  clock = new TestClock();
  ready = 0;
  queue = new WorkQueue<string>(clock, () => {
    ready += 1;
  });
});

describe('a work queue', () => {
  it('hands out keys in the order they came, each once however often it was added', () => {
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    expect([queue.take()?.key, queue.take()?.key, queue.take()?.key, queue.take()?.key]).toEqual([
      'a',
      'b',
      'c',
      undefined,
    ]);
    expect(ready).toBe(3);
  });

  it('never hands out a key that is being processed, but once more when that is done', () => {
    queue.add('a');
    queue.take();
    queue.add('a');
    queue.add('a');
    expect(queue.take()).toBeUndefined();
    queue.done('a');
    expect(queue.take()?.key).toBe('a');
    queue.done('a');
    expect(queue.take()).toBeUndefined();
  });

  it('keeps the cause of the highest rank, and of those the newest', () => {
    queue.add('a', 'pod moved', 1);
    queue.add('a', 'spec changed', 3);
    queue.add('a', 'spec changed again', 3);
    queue.add('a', 'pod moved again', 1);
    expect(queue.take()?.cause).toBe('spec changed again');
  });

  it('doubles the delay of a failing key from 5 ms to 1000 s, until it is forgotten', () => {
    const delays = Array.from({ length: 20 }, () => queue.addRateLimited('a'));
    expect(delays.slice(0, 5)).toEqual([5, 10, 20, 40, 80]);
    expect(delays.at(-1)).toBe(1_000_000);
    queue.forget('a');
    expect(queue.addRateLimited('a')).toBe(5);
  });

  it('lets a later wish for a delay replace an earlier one, and taking the key cancel it', () => {
    queue.addAfter('a', 100, 'first');
    queue.addAfter('a', 300, 'second');
    clock.advance(200);
    expect(queue.take()).toBeUndefined();
    clock.advance(100);
    expect(queue.take()).toMatchObject({ key: 'a', cause: 'second' });
    queue.done('a');

    queue.addAfter('a', 100);
    queue.add('a');
    queue.take();
    queue.done('a');
    clock.advance(1_000);
    expect(queue.take()).toBeUndefined();
  });

  it('never runs a key twice at once and never loses one, whatever the order of calls', () => {
    const step = fc.oneof(
      fc.record({ call: fc.constant('add'), key: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ call: fc.constant('after'), key: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ call: fc.constantFrom('take', 'done', 'tick'), key: fc.constantFrom('a', 'b', 'c') }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const time = new TestClock();
        const line = new WorkQueue<string>(time, () => undefined);
        const wanted = new Set<string>();
        const running = new Set<string>();
        const take = (): boolean => {
          const taken = line.take();
          if (!taken) return false;
          expect(running.has(taken.key)).toBe(false);
          running.add(taken.key);
          wanted.delete(taken.key);
          return true;
        };
        for (const { call, key } of steps) {
          if (call === 'add') {
            line.add(key);
            wanted.add(key);
          } else if (call === 'after') {
            line.addAfter(key, 10);
            wanted.add(key);
          } else if (call === 'take') take();
          else if (call === 'tick') time.advance(7);
          else if (running.delete(key)) line.done(key);
        }
        for (const key of running) line.done(key);
        running.clear();
        time.advance(1_000);
        while (take());
        expect(wanted).toEqual(new Set());
      }),
    );
  });
});

describe('a delay queue', () => {
  it('rings each key once, in order of due time, the last wish counting', () => {
    const wish = fc.record({ key: fc.integer({ min: 0, max: 40 }), delayMs: fc.integer({ min: 1, max: 1_000 }) });
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 300 }), (wishes) => {
        const time = new TestClock();
        const rung: { key: string; atMs: number }[] = [];
        const delays = new DelayQueue<null>(time, (key) => rung.push({ key, atMs: time.now }));
        const due = new Map<string, number>();
        for (const { key, delayMs } of wishes) {
          delays.set(`k${key}`, delayMs, null);
          due.set(`k${key}`, delayMs);
        }
        expect(time.timers.size).toBeLessThanOrEqual(1);
        time.advance(2_000);
        expect(new Map(rung.map(({ key, atMs }) => [key, atMs]))).toEqual(due);
        expect(rung).toHaveLength(due.size);
        expect(delays.size).toBe(0);
      }),
    );
  });
});
