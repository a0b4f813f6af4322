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

describe('a gang that is more important than others', () => {
  const cpus = (name: string, cpu: string) => makeNode(name, { allocatable: { cpu } });
  const low = (name: string, node: string, priority = 0, cpu = '1') =>
    makePod(name, { nodeName: node, priority }, { cpu });
  const urgent = (name: string) =>
    makePod(name, { schedulingGroup: { podGroupName: 'g' }, priority: 100 }, { cpu: '1' });
  const deleted = (): string[] =>
    test.cluster.sent.filter(({ command }) => command.verb === 'delete').map(({ command }) => command.name);
  const finishAll = (...gone: string[]): void => {
    for (const name of gone) test.cluster.remove(podKind, 'default', name);
  };

  it('has them leave for all of its pods, and is bound by one command when the last has gone', async () => {
    test.put(cpus('a', '1'), cpus('b', '1'), cpus('c', '1'), low('la', 'a'), low('lb', 'b'));
    putGang(3);
    test.start();
    await settle();
    test.put(...names(3).map(urgent));
    await settle();
    expect(deleted().sort()).toEqual(['la', 'lb']);
    expect(test.pod('la').status!.conditions).toMatchObject([
      { message: 'default-scheduler: preempting to accommodate a higher priority podgroup' },
    ]);
    const { uid } = test.cluster.truth().get(podGroup, 'default', 'g')!.metadata;
    expect(test.said('Preempted').sort()).toEqual(
      ['a', 'b'].map((node) => `Preempted by podgroup ${uid} on node ${node}`),
    );
    expect(
      names(3)
        .map((name) => test.pod(name).status!.nominatedNodeName)
        .sort(),
    ).toEqual(['a', 'b', 'c']);
    test.put(makePod('lesser', { priority: 50, preemptionPolicy: 'Never' }, { cpu: '1' }));
    await settle(20_000);
    finishAll('la');
    await settle(60_000);
    expect([bound(3), test.nodeOf('lesser')]).toEqual([0, [undefined]]);
    finishAll('lb');
    await settle();
    expect(bound(3)).toBe(3);
    expect(test.sent('binding')).toHaveLength(1);
    expect(deleted()).toHaveLength(2);
  });

  it('has nobody leave when that would not be enough for all of them', async () => {
    test.put(cpus('a', '1'), cpus('b', '1'), low('la', 'a'), low('equal', 'b', 100));
    putGang(2);
    test.start();
    await settle();
    test.put(...names(2).map(urgent));
    await settle(400_000);
    expect(deleted()).toEqual([]);
    expect(test.said('FailedScheduling')[0]).toMatch(/pod group g needs nodes for 2 pods at once, 0 have one/);
    expect(test.pod('p0').status!.nominatedNodeName).toBeUndefined();
  });

  it('keeps no places when it lacks pods again', async () => {
    test.put(cpus('a', '1'), cpus('b', '1'), low('la', 'a'), low('lb', 'b'));
    putGang(2);
    test.start();
    await settle();
    test.put(...names(2).map(urgent));
    await settle();
    finishAll('p0', 'la', 'lb');
    await settle();
    test.put(makePod('lesser', { priority: 50 }, { cpu: '1' }), makePod('least', { priority: 50 }, { cpu: '1' }));
    await settle(20_000);
    expect(test.nodeOf('lesser', 'least').sort()).toEqual(['a', 'b']);
  });

  it('has none of its own pods leave', async () => {
    test.put(cpus('a', '1'), member('p0', { nodeName: 'a', priority: 0, containers: urgent('x').spec.containers }));
    putGang(2);
    test.start();
    await settle();
    test.put(urgent('p1'));
    await settle(400_000);
    expect(deleted()).toEqual([]);
  });

  it('keeps what it was promised when the scheduler begins anew', async () => {
    const going = low('la', 'a');
    const conditions = [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }];
    const metadata = { ...going.metadata, deletionTimestamp: '2026-01-01T00:00:30Z' };
    test.put(cpus('a', '1'), cpus('b', '1'), cpus('c', '1'), low('lb', 'b'), low('lc', 'c'));
    test.put({ ...going, metadata, status: { phase: 'Running', conditions } } as Pod);
    putGang(1);
    test.put({ ...urgent('p0'), status: { phase: 'Pending', nominatedNodeName: 'a' } } as Pod);
    test.start();
    await settle(20_000);
    finishAll('la');
    await settle(20_000);
    expect(test.nodeOf('p0')).toEqual(['a']);
    expect(deleted()).toEqual([]);
  });

  it('tries again when one of them could not be deleted', async () => {
    test.put(cpus('a', '1'), cpus('b', '1'), low('la', 'a'), low('lb', 'b'));
    putGang(2);
    let tries = 0;
    test.answer = (command) =>
      command.verb === 'delete' && ++tries === 1 ? Promise.reject(new Error('not now')) : undefined;
    test.start();
    await settle();
    test.put(...names(2).map(urgent));
    await settle(5_000);
    finishAll('la', 'lb');
    await settle(60_000);
    expect(bound(2)).toBe(2);
  });

  it('never has somebody leave for nothing, nor anybody as important as it is', async () => {
    const scene = fc.record({
      nodes: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
      pods: fc.array(
        fc.record({
          node: fc.nat(3),
          cpu: fc.integer({ min: 1, max: 2 }),
          priority: fc.integer({ min: 98, max: 101 }),
        }),
        {
          maxLength: 8,
        },
      ),
      gang: fc.integer({ min: 1, max: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(scene, async ({ nodes, pods, gang }) => {
        await finish();
        test = new SchedulingTest();
        const left = [...nodes];
        test.put(...nodes.map((cpu, at) => cpus(`n${at}`, String(cpu))));
        const placed = pods.flatMap(({ node, cpu, priority }, at) => {
          const on = node % nodes.length;
          if (left[on]! < cpu) return [];
          left[on]! -= cpu;
          return [{ name: `l${at}`, on, cpu, priority }];
        });
        test.put(...placed.map(({ name, on, cpu, priority }) => low(name, `n${on}`, priority, String(cpu))));
        putGang(gang);
        test.start();
        await settle();
        test.put(...names(gang).map(urgent));
        await settle();
        const gone = deleted();
        expect(new Set(gone).size).toBe(gone.length);
        for (const name of gone) expect(placed.find((pod) => pod.name === name)!.priority).toBeLessThan(100);
        finishAll(...gone);
        await settle(60_000);
        const staying = placed.filter(({ priority }) => priority >= 100);
        const roomWithoutOthers =
          nodes.reduce((sum, cpu) => sum + cpu, 0) - staying.reduce((sum, { cpu }) => sum + cpu, 0);
        expect(bound(gang)).toBe(roomWithoutOthers >= gang ? gang : 0);
        if (bound(gang) === 0) expect(gone).toEqual([]);
        expect(deleted()).toEqual(gone);
      }),
      { numRuns: 60 },
    );
  });
});
