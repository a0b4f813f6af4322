import type { Pod } from '@periplus/api';
import { expect, it } from 'vitest';
import { podInfo } from './pod-info.ts';
import { SchedulingQueue } from './scheduling-queue.ts';

const waiting = (name: string, over: { priority?: number; createdAt?: number; nodeSelector?: object } = {}) =>
  podInfo({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, uid: name, creationTimestamp: new Date((over.createdAt ?? 0) * 1_000).toISOString() },
    spec: { containers: [], priority: over.priority, nodeSelector: over.nodeSelector },
  } as unknown as Pod);

const names = (queue: SchedulingQueue, nowMs = 0): string[] => {
  const popped: string[] = [];
  for (let next = queue.pop(nowMs); next; next = queue.pop(nowMs)) popped.push(next.uid);
  return popped;
};

it('gives pods by priority, then by age', () => {
  const queue = new SchedulingQueue();
  queue.add(waiting('young', { createdAt: 2 }));
  queue.add(waiting('old', { createdAt: 1 }));
  queue.add(waiting('urgent', { createdAt: 3, priority: 10 }));
  expect(names(queue)).toEqual(['urgent', 'old', 'young']);
});

it('leaves out a pod that was removed', () => {
  const queue = new SchedulingQueue();
  queue.add(waiting('a'));
  queue.remove('a');
  expect(names(queue)).toEqual([]);
});

it('wakes a refused pod only for what could help, and not before its backoff', () => {
  const queue = new SchedulingQueue();
  queue.add(waiting('a'));
  expect(names(queue)).toEqual(['a']);
  queue.refuse('a', new Set(['PodGone']), 0);
  queue.wake('NodeTaints');
  expect(names(queue, 5_000)).toEqual([]);
  queue.wake('PodGone');
  expect(names(queue, 999)).toEqual([]);
  expect(queue.nextMs()).toBe(1_000);
  expect(names(queue, 1_000)).toEqual(['a']);
});

it('doubles the backoff up to ten seconds', () => {
  const queue = new SchedulingQueue();
  queue.add(waiting('a'));
  const waits: number[] = [];
  let now = 0;
  for (let attempt = 0; attempt < 6; attempt += 1) {
    expect(names(queue, now)).toEqual(['a']);
    queue.retry('a', now);
    const next = queue.nextMs()!;
    waits.push(next - now);
    now = next;
  }
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
});

it('looks at a refused pod again after five minutes, and at once when its spec has changed', () => {
  const queue = new SchedulingQueue();
  queue.add(waiting('a'));
  names(queue);
  queue.refuse('a', new Set(), 0);
  expect(queue.nextMs()).toBe(300_000);
  expect(names(queue, 299_999)).toEqual([]);
  expect(names(queue, 300_000)).toEqual(['a']);
  queue.refuse('a', new Set(), 300_000);
  queue.add(waiting('a', { nodeSelector: { disk: 'ssd' } }));
  expect(names(queue, 300_001)).toEqual(['a']);
});
