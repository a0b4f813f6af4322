import type { CommandCause } from '@periplus/client';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Heap } from './heap.ts';
import type { ClusterEvent } from './plugin.ts';
import { podInfo } from './pod-info.ts';
import { PodShapes } from './pod-shape.ts';
import { SchedulingQueue } from './scheduling-queue.ts';
import { makePod } from './testing/objects.ts';

const shapes = new PodShapes();
const CREATED: CommandCause = { key: 'core/pods/default/p', resourceVersion: '1', reconciler: 'scheduler' };
const CHANGED: CommandCause = { key: 'core/nodes/n', resourceVersion: '2', reconciler: 'scheduler' };

const add = (queue: SchedulingQueue, name: string, spec: object = {}, createRevision = 0, nowMs = 0): void =>
  queue.add(podInfo(makePod(name, spec), shapes, createRevision), CREATED, nowMs);

const popped = (queue: SchedulingQueue, nowMs = 0) => {
  const all = [];
  for (let next = queue.pop(nowMs); next; next = queue.pop(nowMs)) all.push(next);
  return all;
};
const names = (queue: SchedulingQueue, nowMs = 0): string[] =>
  popped(queue, nowMs).map(({ pod }) => pod.pod.metadata.name!);

const refuseAll = (queue: SchedulingQueue, nowMs: number, ...wakesOn: ClusterEvent[]): void => {
  for (const waiting of popped(queue, nowMs)) queue.refuse(waiting, new Set(wakesOn), nowMs);
};
const fits = () => null;

it('gives pods by priority, then by age', () => {
  const queue = new SchedulingQueue();
  add(queue, 'young', {}, 2);
  add(queue, 'old', {}, 1);
  add(queue, 'urgent', { priority: 10 }, 3);
  add(queue, 'idle', { priority: -10 }, 0);
  expect(names(queue)).toEqual(['urgent', 'old', 'young', 'idle']);
});

it('leaves out a pod that was removed, wherever it stands', () => {
  const queue = new SchedulingQueue();
  for (const name of ['active', 'backoff', 'refused', 'deciding']) add(queue, name);
  const [active, backoff, deciding, refused] = popped(queue);
  queue.retry(backoff!, 0);
  queue.refuse(refused!, new Set(['PodGone']), 0);
  add(queue, 'other');
  for (const name of ['active', 'backoff', 'refused', 'deciding', 'other']) queue.remove(`uid-${name}`);
  queue.retry(active!, 0);
  queue.refuse(deciding!, new Set(['PodGone']), 0);
  expect(queue.hasRefused).toBe(false);
  expect(queue.nextMs()).toBeUndefined();
  expect(names(queue, 1_000_000)).toEqual([]);
});

it('wakes a refused pod only for what could help, and not before its backoff', () => {
  const queue = new SchedulingQueue();
  add(queue, 'a');
  refuseAll(queue, 0, 'PodGone');
  queue.wake(['NodeTaints'], fits, CHANGED, 500);
  expect(names(queue, 5_000)).toEqual([]);
  queue.wake(['PodGone'], fits, CHANGED, 500);
  expect(names(queue, 999)).toEqual([]);
  expect(queue.nextMs()).toBe(1_000);
  const [woken] = popped(queue, 1_000);
  expect(woken).toMatchObject({ cause: CHANGED, attempts: 2 });
});

it('wakes at once when the backoff is long over', () => {
  const queue = new SchedulingQueue();
  add(queue, 'a');
  refuseAll(queue, 0, 'NodeAdded');
  queue.wake(['NodeAdded'], fits, CHANGED, 60_000);
  expect(names(queue, 60_000)).toEqual(['a']);
});

it('asks once for all pods of a shape, and waits for what is still missing too', () => {
  const queue = new SchedulingQueue();
  for (const name of ['a', 'b', 'c']) add(queue, name);
  add(queue, 'other', { nodeSelector: { disk: 'ssd' } });
  refuseAll(queue, 0, 'NodeUnschedulable');
  let asked = 0;
  const tainted = (): ClusterEvent[] => {
    asked += 1;
    return ['NodeTaints'];
  };
  queue.wake(['NodeUnschedulable'], tainted, CHANGED, 2_000);
  expect(asked).toBe(2);
  expect(names(queue, 2_000)).toEqual([]);
  queue.wake(['NodeTaints'], fits, CHANGED, 2_000);
  expect(names(queue, 2_000)).toEqual(['a', 'b', 'c', 'other']);
});

it('doubles the backoff up to ten seconds', () => {
  const queue = new SchedulingQueue();
  add(queue, 'a');
  const waits: number[] = [];
  let now = 0;
  for (let attempt = 0; attempt < 6; attempt += 1) {
    const [waiting] = popped(queue, now);
    queue.retry(waiting!, now);
    const next = queue.nextMs()!;
    waits.push(next - now);
    now = next;
  }
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
});

it('looks at a refused pod again after five minutes, and sooner when its spec has changed', () => {
  const queue = new SchedulingQueue();
  add(queue, 'a');
  refuseAll(queue, 0);
  expect(queue.nextMs()).toBe(300_000);
  expect(names(queue, 299_999)).toEqual([]);
  refuseAll(queue, 300_000);
  add(queue, 'a', {}, 0, 310_000);
  expect(names(queue, 310_000)).toEqual([]);
  add(queue, 'a', { nodeSelector: { disk: 'ssd' } }, 0, 310_000);
  expect(names(queue, 310_000)).toEqual(['a']);
});

it('counts the pods of each queue', () => {
  const queue = new SchedulingQueue();
  for (const name of ['a', 'b', 'c']) add(queue, name);
  const [a, b] = popped(queue);
  queue.retry(a!, 0);
  queue.refuse(b!, new Set(), 0);
  add(queue, 'd');
  expect((['active', 'backoff', 'unschedulable', 'deciding'] as const).map((state) => queue.count(state))).toEqual([
    1, 1, 1, 1,
  ]);
});

it('takes values from a heap in their order, whatever was put in and taken between', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer(), { nil: null })), (steps) => {
      const heap = new Heap<number>((a, b) => a < b);
      const model: number[] = [];
      for (const step of steps) {
        if (step === null) expect(heap.pop()).toBe(model.shift());
        else {
          heap.push(step);
          model.push(step);
          model.sort((a, b) => a - b);
        }
        expect(heap.peek()).toBe(model[0]);
      }
    }),
  );
});

it('waits as long between attempts as it is told', () => {
  const queue = new SchedulingQueue({ msMin: 3_000, msMax: 10_000 });
  add(queue, 'p');
  const waits: number[] = [];
  let nowMs = 0;
  for (let attempt = 0; attempt < 4; attempt += 1) {
    queue.retry(queue.pop(nowMs)!, nowMs);
    const next = queue.nextMs()!;
    waits.push(next - nowMs);
    nowMs = next;
  }
  expect(waits).toEqual([3_000, 6_000, 10_000, 10_000]);
});
