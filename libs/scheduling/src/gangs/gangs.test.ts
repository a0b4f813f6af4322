import { type Pod, type PodGroup, podGroup, pod as podKind } from '@periplus/api';
import { conflict } from '@periplus/apimachinery';
import { OutcomeUnknownError } from '@periplus/client';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { makeNode, makePod } from '../testing/objects.ts';
import { SchedulingTest } from '../testing/scheduling.ts';

let test: SchedulingTest;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:00Z') });
  test = new SchedulingTest();
});
const finish = async (): Promise<void> => {
  test.answer = () => undefined;
  const ended = test.stop();
  await vi.advanceTimersByTimeAsync(2_000);
  await ended;
};
afterEach(async () => {
  await finish();
  vi.useRealTimers();
});

const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const room = (name: string, pods: number) => makeNode(name, { allocatable: { pods: String(pods) } });
const group = (policy: PodGroup['spec']['schedulingPolicy'], name = 'g'): PodGroup => ({
  apiVersion: 'scheduling.k8s.io/v1alpha2',
  kind: 'PodGroup',
  metadata: { name, namespace: 'default' },
  spec: { schedulingPolicy: policy },
});
const putGang = (minCount: number): void => void test.cluster.put(podGroup, group({ gang: { minCount } }));
const member = (name: string, spec: object = {}): Pod =>
  makePod(name, { schedulingGroup: { podGroupName: 'g' }, ...spec });
const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `p${at}`);
const putMembers = (count: number): void => test.put(...names(count).map((name) => member(name)));
const bound = (count: number): number => test.nodeOf(...names(count)).filter((node) => node !== undefined).length;

describe('a gang', () => {
  it('waits for its PodGroup and for as many pods as it takes, and is then bound by one command', async () => {
    test.put(room('a', 2), room('b', 2));
    test.start();
    await settle();
    putMembers(2);
    await settle(10_000);
    putGang(3);
    await settle(10_000);
    expect(test.cluster.sent).toEqual([]);
    test.put(member('p2'));
    await settle();
    expect(test.nodeOf(...names(3)).sort()).toEqual(['a', 'a', 'b'].sort((x, y) => (x < y ? -1 : 1)));
    expect(test.sent('binding').map(({ command }) => [command.kind.kind, command.name])).toEqual([['PodGroup', 'g']]);
    expect(test.said('Scheduled')).toHaveLength(3);
  });

  it('has no pod on a node while there is no room for enough of them, says so, and goes when there is', async () => {
    test.put(room('a', 2));
    putGang(3);
    putMembers(3);
    test.start();
    await settle(20_000);
    expect(bound(3)).toBe(0);
    const message = '0/1 nodes are available: 1 Too many pods. pod group g needs nodes for 3 pods at once, 2 have one.';
    expect(test.said('FailedScheduling')).toEqual([message, message, message]);
    expect(test.pod('p0').status!.conditions).toMatchObject([{ reason: 'Unschedulable', message }]);
    const { status } = test.cluster.truth().get(podGroup, 'default', 'g')!;
    expect(status!.conditions).toMatchObject([{ type: 'PodGroupScheduled', status: 'False', message }]);
    test.put(makePod('other'));
    await settle(20_000);
    expect(test.nodeOf('other')).toEqual(['a']);
    test.put(room('b', 2));
    await settle(20_000);
    expect(bound(3)).toBe(3);
  });

  it('goes without those that are more than it takes, which follow when there is room', async () => {
    test.put(room('a', 2));
    putGang(2);
    putMembers(3);
    test.start();
    await settle(5_000);
    expect(bound(3)).toBe(2);
    test.put(room('b', 1));
    await settle(20_000);
    expect(bound(3)).toBe(3);
  });

  it('counts those that have nodes already, and needs only the others', async () => {
    test.put(room('a', 2), room('b', 1), member('p0', { nodeName: 'a' }));
    putGang(3);
    test.start();
    await settle();
    test.put(member('p1'), member('p2'));
    await settle();
    expect(bound(3)).toBe(3);
  });

  it('is no gang where its policy is basic: each goes for itself', async () => {
    test.put(room('a', 1));
    test.cluster.put(podGroup, group({ basic: {} }));
    putMembers(2);
    test.start();
    await settle();
    expect(bound(2)).toBe(1);
  });

  it('gives all places back when its binding is refused, and tries again', async () => {
    test.put(room('a', 3));
    putGang(3);
    putMembers(3);
    let refusals = 0;
    test.answer = (command) =>
      command.subresource === 'binding' && ++refusals === 1
        ? Promise.reject(conflict({ group: '', resource: 'pods' }, 'p1', 'no'))
        : undefined;
    test.start();
    await settle(900);
    expect(bound(3)).toBe(0);
    await settle(1_000);
    expect(bound(3)).toBe(3);
    expect(refusals).toBe(2);
  });

  it('is not bound again when nobody knows whether it was, and it was', async () => {
    test.put(room('a', 3));
    putGang(3);
    putMembers(3);
    test.answer = (command) => {
      if (command.subresource !== 'binding') return undefined;
      test.cluster.apply(command);
      return Promise.reject(new OutcomeUnknownError('ServiceUnavailable', 'lost'));
    };
    test.start();
    await settle(30_000);
    expect(bound(3)).toBe(3);
    expect(test.sent('binding')).toHaveLength(1);
  });
});

/** What may go wrong around a gang, in any order. */
const disturbances = fc.array(
  fc.constantFrom('refuse', 'lose', 'loseAfter', 'lag', 'catchUp', 'kill', 'another', 'node', 'restart'),
  { maxLength: 12 },
);

describe('whatever fails in between', () => {
  it('a gang is bound at once or not at all', async () => {
    await fc.assert(
      fc.asyncProperty(disturbances, fc.integer({ min: 2, max: 4 }), async (steps, minCount) => {
        test = new SchedulingTest();
        let fate: 'refuse' | 'lose' | 'loseAfter' | null = null;
        test.answer = (command) => {
          const now = fate;
          if (command.subresource !== 'binding' || now === null) return undefined;
          fate = null;
          if (now === 'refuse') return Promise.reject(conflict({ group: '', resource: 'pods' }, 'p', 'no'));
          if (now === 'loseAfter') test.cluster.apply(command);
          return Promise.reject(new OutcomeUnknownError('Timeout', 'lost'));
        };
        test.put(room('a', 2), room('b', 1));
        putGang(minCount);
        putMembers(3);
        test.start();
        let most = 0;
        let members = 3;
        const check = (): void => {
          const count = names(members).filter((name) => test.pod(name)?.spec.nodeName).length;
          if (most === 0) expect(count === 0 || count >= minCount).toBe(true);
          most = Math.max(most, count);
        };
        for (const step of steps) {
          if (step === 'refuse' || step === 'lose' || step === 'loseAfter') fate = step;
          else if (step === 'lag') test.cluster.lagging = true;
          else if (step === 'catchUp') {
            test.cluster.lagging = false;
            test.cluster.deliver();
          } else if (step === 'kill') test.cluster.remove(podKind, 'default', 'p0');
          else if (step === 'another') test.put(member(`p${members++}`));
          else if (step === 'node') test.put(room(`n${members}`, 1));
          else {
            test.cluster.lagging = false;
            test.cluster.deliver();
            const { cluster } = test;
            await finish();
            const { answer } = test;
            test = new SchedulingTest(cluster);
            test.answer = answer;
            test.start();
          }
          await settle(1_500);
          check();
        }
        test.cluster.lagging = false;
        test.cluster.deliver();
        await settle(30_000);
        check();
        await finish();
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});
