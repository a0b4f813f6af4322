import { type PodDisruptionBudget, podDisruptionBudget, pod as podKind } from '@periplus/api';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { makeClaim } from '../testing/devices.ts';
import { makeNode, makePod } from '../testing/objects.ts';
import { SchedulingTest } from '../testing/scheduling.ts';

let test: SchedulingTest;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:00Z') });
  test = new SchedulingTest();
});
afterEach(async () => {
  const ended = test.stop();
  await vi.advanceTimersByTimeAsync(2_000);
  await ended;
  vi.useRealTimers();
});

const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const cpus = (name: string, cpu: string) => makeNode(name, { allocatable: { cpu } });

interface Placed {
  priority?: number;
  cpu?: string;
  startTime?: string;
  labels?: Record<string, string>;
}

function onNode(node: string, name: string, { priority = 0, cpu = '1', startTime, labels }: Placed = {}) {
  const pod = makePod(name, { nodeName: node, priority }, { cpu });
  return { ...pod, metadata: { ...pod.metadata, labels }, status: { phase: 'Running', startTime } } as typeof pod;
}

const urgent = (name: string, more: object = {}, cpu = '1') => makePod(name, { priority: 100, ...more }, { cpu });

const budget = (name: string, labels: Record<string, string>, allowed: number): PodDisruptionBudget =>
  ({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, namespace: 'default' },
    spec: { selector: { matchLabels: labels }, maxUnavailable: 1 },
    status: { disruptionsAllowed: allowed, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
  }) as unknown as PodDisruptionBudget;

/** Whom the scheduler deleted, in order. */
const deleted = (): string[] =>
  test.cluster.sent.filter(({ command }) => command.verb === 'delete').map(({ command }) => command.name);
/** What a kubelet does with them. */
const finish = (...names: string[]): void => {
  for (const name of names) test.cluster.remove(podKind, 'default', name);
};

describe('a pod that fits nowhere but is more important than others', () => {
  it('has them leave a node, is promised it, and gets it as soon as they are gone', async () => {
    test.put(cpus('a', '2'), onNode('a', 'low'), onNode('a', 'lower', { priority: -1 }));
    test.start();
    await settle();
    test.put(urgent('p'));
    await settle();
    expect(deleted()).toEqual(['lower']);
    expect(test.pod('lower').status!.conditions).toMatchObject([
      {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'PreemptionByScheduler',
        message: 'default-scheduler: preempting to accommodate a higher priority pod',
      },
    ]);
    expect(test.said('Preempted')).toEqual(['Preempted by pod uid-p on node a']);
    expect(test.said('FailedScheduling')).toEqual(['0/1 nodes are available: 1 Insufficient cpu.']);
    expect(test.pod('p').status).toMatchObject({
      nominatedNodeName: 'a',
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }],
    });
    await settle(20_000);
    expect(test.nodeOf('p')).toEqual([undefined]);
    finish('lower');
    await settle();
    expect(test.nodeOf('p')).toEqual(['a']);
    expect(deleted()).toEqual(['lower']);
  });

  it('is told of nothing but its place when they are gone at once', async () => {
    test.put(cpus('a', '2'), onNode('a', 'low', { cpu: '2' }));
    test.answer = async (command) => {
      if (command.verb === 'delete') finish(command.name);
      return command.verb === 'delete' ? { resourceVersion: '1', revision: 1 } : undefined;
    };
    test.start();
    await settle();
    test.put(urgent('p'));
    await settle();
    expect(test.nodeOf('p')).toEqual(['a']);
    expect(test.cluster.sent.map(({ command }) => [command.verb, command.subresource])).toEqual([
      ['delete', undefined],
      ['create', 'binding'],
    ]);
    expect(test.events.map(({ reason }) => reason)).toEqual(['Preempted', 'Scheduled']);
  });

  it('gives nobody else the place that it was promised, but to a more important one', async () => {
    test.put(cpus('a', '1'), onNode('a', 'low'));
    test.start();
    await settle();
    test.put(urgent('p'));
    await settle();
    test.put(makePod('like', { priority: 100 }, { cpu: '1' }), makePod('lesser', { priority: 50 }, { cpu: '1' }));
    await settle();
    finish('low');
    await settle(60_000);
    expect(test.nodeOf('p', 'like', 'lesser')).toEqual(['a', undefined, undefined]);
  });

  it('loses the promise to a more important one, and looks elsewhere', async () => {
    test.put(cpus('a', '1'), onNode('a', 'low'));
    test.start();
    await settle();
    test.put(urgent('p'));
    await settle();
    test.put(urgent('q', { priority: 200 }));
    await settle(5_000);
    expect(test.pod('p').status!.nominatedNodeName).toBeUndefined();
    expect(test.pod('q').status!.nominatedNodeName).toBe('a');
    finish('low');
    await settle(60_000);
    expect(test.nodeOf('p', 'q')).toEqual([undefined, 'a']);
    test.put(cpus('b', '1'));
    await settle(20_000);
    expect(test.nodeOf('p')).toEqual(['b']);
  });

  it('takes another node that comes to fit meanwhile', async () => {
    test.put(cpus('a', '1'), onNode('a', 'low'));
    test.start();
    await settle();
    test.put(urgent('p'));
    await settle();
    test.put(cpus('b', '1'));
    await settle(5_000);
    expect(test.nodeOf('p')).toEqual(['b']);
  });

  it('does not have more leave while those it waits for are on their way', async () => {
    test.put(cpus('a', '1'), cpus('b', '1'), onNode('a', 'low'), onNode('b', 'other', { priority: 1 }));
    test.start();
    await settle();
    test.put(urgent('p'));
    await settle(400_000);
    expect(deleted()).toEqual(['low']);
    expect(test.said('FailedScheduling').at(-1)).toMatch(
      / no new claims to deallocate, preemption: not eligible due to a terminating pod on the nominated node\.$/,
    );
    expect(test.pod('p').status!.nominatedNodeName).toBe('a');
  });

  it('keeps its promise when the scheduler begins anew', async () => {
    const going = onNode('b', 'other', { priority: 1 });
    const conditions = [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }];
    const metadata = { ...going.metadata, deletionTimestamp: '2026-01-01T00:00:30Z' };
    test.put(cpus('a', '1'), cpus('b', '1'), onNode('a', 'low'));
    test.put({ ...going, metadata, status: { ...going.status, conditions } } as never);
    test.put({ ...urgent('p'), status: { phase: 'Pending', nominatedNodeName: 'b' } } as never);
    test.put(makePod('lesser', { priority: 50, preemptionPolicy: 'Never' }, { cpu: '1' }));
    test.start();
    await settle();
    finish('other');
    await settle(60_000);
    expect(test.nodeOf('p')).toEqual(['b']);
    expect(deleted()).toEqual([]);
  });

  it('tries again when one of them could not be deleted', async () => {
    test.put(cpus('a', '1'), onNode('a', 'low'));
    let tries = 0;
    test.answer = (command) =>
      command.verb === 'delete' && ++tries === 1 ? Promise.reject(new Error('not now')) : undefined;
    test.start();
    await settle();
    test.put(urgent('p'));
    await settle(5_000);
    expect(tries).toBe(2);
    finish('low');
    await settle(20_000);
    expect(test.nodeOf('p')).toEqual(['a']);
  });
});

describe('a pod that has nobody leave', () => {
  it.each<[string, () => void, string]>([
    [
      'as its policy is not to',
      () => test.put(onNode('a', 'low'), urgent('p', { preemptionPolicy: 'Never' })),
      'not eligible due to preemptionPolicy=Never.',
    ],
    [
      'as nobody is less important',
      () => test.put(onNode('a', 'equal', { priority: 100 }), urgent('p')),
      '0/1 nodes are available: 1 No preemption victims found for incoming pod.',
    ],
    [
      'as that would not be enough',
      () => {
        test.put(onNode('a', 'low', { cpu: '500m' }), onNode('a', 'equal', { priority: 100, cpu: '500m' }));
        test.put(urgent('p'));
      },
      '0/1 nodes are available: 1 Insufficient cpu.',
    ],
    [
      'as the node has less than it asks for, whoever leaves',
      () => test.put(onNode('a', 'low'), urgent('p', {}, '3')),
      '0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
    ],
    [
      'as nobody could give it devices',
      () => {
        test.put(onNode('a', 'low'), makeClaim('one'));
        test.put(urgent('p', { resourceClaims: [{ name: 'gpu', resourceClaimName: 'one' }] }));
      },
      '0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
    ],
    [
      'as the node itself will not do',
      () => test.put(onNode('a', 'low'), urgent('p', { nodeSelector: { disk: 'ssd' } })),
      '0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
    ],
  ])('says why: %s', async (_, put, why) => {
    test.put(cpus('a', '1'));
    put();
    test.start();
    await settle(60_000);
    expect(deleted()).toEqual([]);
    expect(test.said('FailedScheduling')[0]!.split(' no new claims to deallocate, preemption: ')[1]).toBe(why);
    expect(test.pod('p').status!.nominatedNodeName).toBeUndefined();
  });
});

describe('the choice of victims', () => {
  const young = '2026-01-01T00:00:00Z';
  const old = '2025-01-01T00:00:00Z';

  it.each<[string, () => void, string[]]>([
    [
      'leaves a budget alone where it can, whatever the priorities',
      () => {
        test.put(onNode('a', 'guarded', { labels: { app: 'db' } }), onNode('b', 'free', { priority: 50 }));
        test.cluster.put(podDisruptionBudget, budget('db', { app: 'db' }, 0));
      },
      ['free'],
    ],
    [
      'lets go what a budget allows',
      () => {
        test.put(onNode('a', 'guarded', { labels: { app: 'db' } }), onNode('b', 'free', { priority: 50 }));
        test.cluster.put(podDisruptionBudget, budget('db', { app: 'db' }, 1));
      },
      ['guarded'],
    ],
    [
      'violates a budget when nothing else helps',
      () => {
        for (const node of ['a', 'b']) test.put(onNode(node, `on-${node}`, { labels: { app: 'db' } }));
        test.cluster.put(podDisruptionBudget, budget('db', { app: 'db' }, 0));
      },
      ['on-a'],
    ],
    [
      'minds the highest priority on a node first',
      () => {
        test.put(onNode('a', 'high', { priority: 10 }));
        for (const name of ['l1', 'l2']) test.put(onNode('b', name, { priority: 9, cpu: '500m' }));
      },
      ['l1', 'l2'],
    ],
    [
      'then the sum of priorities, which counts pods below zero too',
      () => {
        for (const name of ['a1', 'a2']) test.put(onNode('a', name, { priority: -5, cpu: '500m' }));
        test.put(onNode('b', 'b1', { priority: -5 }));
      },
      ['b1'],
    ],
    [
      'then takes the youngest',
      () => test.put(onNode('a', 'elder', { startTime: old }), onNode('b', 'younger', { startTime: young })),
      ['younger'],
    ],
    [
      'spares on a node the more important, and of equals the elder',
      () => {
        test.put(onNode('a', 'low', { cpu: '500m' }), onNode('a', 'mid', { priority: 5, cpu: '500m' }));
        test.put(onNode('b', 'high', { priority: 99 }));
      },
      ['low', 'mid'],
    ],
  ])('%s', async (_, put, victims) => {
    test.put(cpus('a', '1'), cpus('b', '1'));
    put();
    test.start();
    await settle();
    test.put(urgent('p'));
    await settle();
    expect(deleted().sort()).toEqual(victims);
  });

  it('takes no more than are in the way', async () => {
    test.put(cpus('a', '4'));
    const starts = [young, old, young];
    for (const [at, startTime] of starts.entries()) test.put(onNode('a', `p${at}`, { startTime }));
    test.put(onNode('a', 'important', { priority: 50 }));
    test.start();
    await settle();
    test.put(urgent('p', {}, '2'));
    await settle();
    expect(deleted().sort()).toEqual(['p0', 'p2']);
  });
});
