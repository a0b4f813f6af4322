import { node as nodeKind, type Pod, pod as podKind } from '@periplus/api';
import { conflict, StatusError } from '@periplus/apimachinery';
import { type Command, type CommandOutcome, OutcomeUnknownError } from '@periplus/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NodeTable } from './node-table.ts';
import { makeNode, makePod, webContainer } from './testing/objects.ts';
import { SchedulingTest } from './testing/scheduling.ts';

let test: SchedulingTest;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:00Z') });
  test = new SchedulingTest();
});
afterEach(async () => {
  test.answer = () => undefined;
  const ended = test.stop();
  await vi.advanceTimersByTimeAsync(2_000);
  await ended;
  vi.useRealTimers();
});

const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const small = (name: string) => makeNode(name, { allocatable: { pods: '1' } });
const isBinding = ({ subresource }: Command): boolean => subresource === 'binding';

describe('a pending pod', () => {
  it('is bound to a node that fits, under its uid, for the reason that it was created', async () => {
    test.put(makeNode('full', { allocatable: { pods: '0' } }), makeNode('a'));
    test.start();
    await settle();
    test.put(makePod('p'));
    await settle();
    expect(test.nodeOf('p')).toEqual(['a']);
    const [sent, ...more] = test.sent('binding');
    expect(more).toEqual([]);
    expect(sent).toMatchObject({
      command: { verb: 'create', namespace: 'default', name: 'p', ifUid: 'uid-p' },
      cause: { key: 'core/pods/default/p', reconciler: 'scheduler' },
    });
    expect(test.said('Scheduled')).toEqual(['Successfully assigned default/p to a']);
  });

  it('is found when the scheduler starts, but not before the cache holds what the leader before has done', async () => {
    test.put(small('a'), makePod('p'), makePod('q'));
    test.cluster.lagging = true;
    test.put({ ...makePod('p'), spec: { ...makePod('p').spec, nodeName: 'a' } } as Pod);
    test.start();
    await settle(60_000);
    expect(test.sent('binding')).toEqual([]);
    test.cluster.deliver();
    await settle();
    expect(test.said('FailedScheduling')).toEqual([
      '0/1 nodes are available: 1 Too many pods. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
    ]);
    expect(test.nodeOf('p', 'q')).toEqual(['a', undefined]);
  });

  it('gets no place that another pod was given a moment ago, though the cache does not show it yet', async () => {
    test.put(small('a'), small('b'));
    test.start();
    await settle();
    test.put(makePod('p'), makePod('q'), makePod('r'));
    test.cluster.lagging = true;
    await settle();
    expect(test.nodeOf('p', 'q').sort()).toEqual(['a', 'b']);
    expect(test.nodeOf('r')).toEqual([undefined]);
    test.cluster.deliver();
    await settle(20_000);
    expect(test.sent('binding')).toHaveLength(2);
  });

  it.each<[string, Partial<Record<'spec' | 'metadata' | 'status', object>>]>([
    ['belongs to another scheduler', { spec: { schedulerName: 'mine' } }],
    ['is gated', { spec: { schedulingGates: [{ name: 'quota' }] } }],
    ['is being deleted', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['a/b'] } }],
    ['has ended', { status: { phase: 'Failed' } }],
    ['was given its node by whoever created it', { spec: { nodeName: 'elsewhere' } }],
  ])('is left alone when it %s', async (_, { spec, metadata, status }) => {
    const pod = makePod('p', spec);
    test.put(makeNode('a'), { ...pod, metadata: { ...pod.metadata, ...metadata }, status } as Pod);
    test.start();
    await settle(600_000);
    expect(test.cluster.sent).toEqual([]);
    expect(test.events).toEqual([]);
  });

  it('is scheduled once its last gate is lifted', async () => {
    test.put(makeNode('a'), makePod('p', { schedulingGates: [{ name: 'quota' }] }));
    test.start();
    await settle();
    test.put(makePod('p'));
    await settle();
    expect(test.nodeOf('p')).toEqual(['a']);
  });

  it('goes before less important and younger ones', async () => {
    test.put(makePod('old'), makePod('young'), makePod('urgent', { priority: 1 }));
    test.start();
    await settle();
    test.put(makeNode('a', { allocatable: { pods: '2' } }));
    await settle(2_000);
    expect(test.nodeOf('old', 'young', 'urgent')).toEqual(['a', undefined, 'a']);
  });
});

describe('what counts on a node', () => {
  it('is a pod that its creator put there', async () => {
    test.put(small('a'), makePod('p', { nodeName: 'a' }), makePod('q'));
    test.start();
    await settle();
    expect(test.nodeOf('q')).toEqual([undefined]);
  });

  it('is a pod until it ends or goes', async () => {
    test.put(small('a'), makePod('p', { nodeName: 'a' }), makePod('q'), makePod('r'));
    test.start();
    await settle();
    test.put({ ...makePod('p', { nodeName: 'a' }), status: { phase: 'Succeeded' } } as Pod);
    await settle(2_000);
    expect(test.nodeOf('q', 'r')).toEqual(['a', undefined]);
    test.cluster.remove(podKind, 'default', 'q');
    await settle(4_000);
    expect(test.nodeOf('r')).toEqual(['a']);
  });

  it('is counted again when a node has gone and come back', async () => {
    test.put(small('a'), makePod('p', { nodeName: 'a' }));
    test.start();
    await settle();
    test.cluster.remove(nodeKind, '', 'a');
    test.put(makePod('q'));
    await settle();
    test.put(small('a'));
    await settle(20_000);
    expect(test.nodeOf('q')).toEqual([undefined]);
    expect(test.said('FailedScheduling')).toEqual(['no nodes available to schedule pods']);
  });

  it('is the same after heartbeats of nodes and the status of pods', async () => {
    test.put(makeNode('a'), makePod('p', { nodeName: 'a' }));
    test.start();
    await settle();
    const setNode = vi.spyOn(NodeTable.prototype, 'setNode');
    const place = vi.spyOn(NodeTable.prototype, 'place');
    test.put(makeNode('a', { status: { conditions: [{ type: 'Ready', status: 'True' }] } }));
    test.put({ ...makePod('p', { nodeName: 'a' }), status: { phase: 'Running' } } as Pod);
    await settle();
    expect(setNode).not.toHaveBeenCalled();
    expect(place.mock.results).toEqual([{ type: 'return', value: false }]);
    for (const spy of [setNode, place]) spy.mockRestore();
  });
});

describe('a pod that fits nowhere', () => {
  it('says so in its condition, once for each message, and in an event for each attempt', async () => {
    test.put(makePod('p'));
    test.start();
    await settle(700_000);
    expect(test.said('FailedScheduling')).toEqual(Array(3).fill('no nodes available to schedule pods'));
    expect(test.sent('status')).toHaveLength(1);
    const first = test.pod('p').status!.conditions!;
    expect(first).toMatchObject([
      {
        type: 'PodScheduled',
        status: 'False',
        reason: 'Unschedulable',
        message: 'no nodes available to schedule pods',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ]);
    test.put(makeNode('a', { spec: { unschedulable: true } }));
    await settle(300_000);
    const message =
      '0/1 nodes are available: 1 node(s) were unschedulable. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.';
    expect(test.pod('p').status!.conditions).toEqual([{ ...first[0], message }]);
    expect(test.sent('status')).toHaveLength(2);
  });

  it('says in events no more than these hold, and all of it in the condition', async () => {
    const resources = Array.from({ length: 60 }, (_, at) => `example.com/resource-${at}`);
    test.put(makeNode('a'), makePod('p', {}, Object.fromEntries(resources.map((name) => [name, '1']))));
    test.start();
    await settle();
    const [event] = test.said('FailedScheduling');
    expect(event).toMatch(/^0\/1 nodes are available: 1 Insufficient example.com\/resource-0, .* \.\.\.$/);
    expect(event).toHaveLength(1_024);
    const [condition] = test.pod('p').status!.conditions!;
    expect(condition!.message).toContain(event!.slice(0, -4));
    expect(condition!.message).toMatch(/Preemption is not helpful for scheduling\.$/);
  });

  it('says so once too while the cache does not show yet what was said', async () => {
    test.put(makePod('p'));
    test.start();
    test.cluster.lagging = true;
    await settle(700_000);
    expect(test.said('FailedScheduling')).toHaveLength(3);
    expect(test.sent('status')).toHaveLength(1);
  });

  it('writes its condition again when that failed', async () => {
    test.put(makePod('p'));
    test.answer = () => Promise.reject(new OutcomeUnknownError('ServiceUnavailable', 'lost'));
    test.start();
    await settle(400_000);
    expect(test.sent('status')).toHaveLength(2);
  });

  it('is woken by a node that it fits on, after its backoff, which is then why it is bound', async () => {
    test.put(makePod('p', { nodeSelector: { disk: 'ssd' } }));
    test.start();
    await settle();
    test.put(makeNode('a'), makeNode('b', { labels: { disk: 'ssd' } }));
    await settle(900);
    expect(test.nodeOf('p')).toEqual([undefined]);
    await settle(200);
    expect(test.nodeOf('p')).toEqual(['b']);
    expect(test.sent('binding')).toMatchObject([{ cause: { key: 'core/nodes/b' } }]);
  });

  it('waits on through changes that only change the reason, and goes with the one that helps', async () => {
    const taints = [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }];
    test.put(makeNode('a', { spec: { unschedulable: true, taints } }), makePod('p'));
    test.start();
    await settle(60_000);
    test.put(makeNode('a', { spec: { taints } }));
    await settle(60_000);
    expect(test.said('FailedScheduling')).toHaveLength(1);
    test.put(makeNode('a'));
    await settle();
    expect(test.nodeOf('p')).toEqual(['a']);
  });

  it('is looked at again when its spec has changed', async () => {
    test.put(makeNode('a', { spec: { taints: [{ key: 'gpu', effect: 'NoSchedule' }] } }), makePod('p'));
    test.start();
    await settle(10_000);
    test.put(makePod('p', { tolerations: [{ key: 'gpu', operator: 'Exists' }] }));
    await settle();
    expect(test.nodeOf('p')).toEqual(['a']);
  });
});

/** Each plugin (but NodeName: pods that name their node don't wait) as the only one that refuses. */
describe('a pod is woken by the change that the refusing plugin waits for, and by no other', () => {
  const full = { allocatable: { cpu: '1' } };
  const gone = (name: string) => () => test.cluster.remove(podKind, 'default', name);
  const becomes = (parts: object) => () => test.put(makeNode('a', parts));
  const other = (name: string, spec: object, requests = {}) => makePod(name, { nodeName: 'a', ...spec }, requests);
  const taints = [{ key: 'gpu', effect: 'NoSchedule' }];
  const labels = { disk: 'ssd' };

  it.each<[string, object, Pod[], Pod, Record<string, () => void>, () => void]>([
    [
      'NodeUnschedulable',
      { spec: { unschedulable: true } },
      [other('q', {})],
      makePod('p'),
      { labels: becomes({ spec: { unschedulable: true }, labels }), 'a pod that goes': gone('q') },
      becomes({}),
    ],
    [
      'TaintToleration',
      { spec: { taints } },
      [other('q', {})],
      makePod('p'),
      { labels: becomes({ spec: { taints }, labels }), 'a pod that goes': gone('q') },
      becomes({ labels }),
    ],
    [
      'NodeAffinity',
      {},
      [other('q', {})],
      makePod('p', { nodeSelector: labels }),
      { 'another label': becomes({ labels: { disk: 'hdd' } }), 'a pod that goes': gone('q') },
      becomes({ labels }),
    ],
    [
      'NodePorts',
      {},
      [other('q', {}), other('r', { containers: [webContainer()] })],
      makePod('p', { containers: [webContainer()] }),
      { labels: becomes({ labels }), 'a pod that goes without a port': gone('q') },
      gone('r'),
    ],
    [
      'NodeResourcesFit, by a pod that goes',
      full,
      [other('q', {}, { cpu: '300m' }), other('r', {}, { cpu: '500m' })],
      makePod('p', {}, { cpu: '600m' }),
      { labels: becomes({ ...full, labels }), 'a small pod that goes': gone('q') },
      gone('r'),
    ],
    [
      'NodeResourcesFit, by what the node has',
      full,
      [other('r', {}, { cpu: '500m' })],
      makePod('p', {}, { cpu: '2' }),
      { 'a little more': becomes({ allocatable: { cpu: '1500m' } }), 'a pod that goes': gone('r') },
      becomes({ allocatable: { cpu: '4' } }),
    ],
  ])('%s', async (_, node, others, pod, useless, helpful) => {
    test.put(makeNode('a', node), ...others, pod);
    test.start();
    await settle(60_000);
    expect(test.said('FailedScheduling')).toHaveLength(1);
    for (const [change, happen] of Object.entries(useless)) {
      happen();
      await settle(20_000);
      expect(test.said('FailedScheduling'), change).toHaveLength(1);
    }
    helpful();
    await settle();
    expect(test.nodeOf('p')).not.toEqual([undefined]);
  });
});

describe('a binding', () => {
  it('that is refused gives the place back, and is tried again after its backoff', async () => {
    test.put(small('a'));
    let refusals = 0;
    test.answer = (command) => {
      if (!isBinding(command) || command.name !== 'p' || ++refusals > 1) return undefined;
      return Promise.reject(conflict({ group: '', resource: 'pods' }, 'p', 'no'));
    };
    test.start();
    await settle();
    test.put(makePod('p'));
    await settle(900);
    expect(test.nodeOf('p')).toEqual([undefined]);
    const message = 'running Bind plugin "DefaultBinder": Operation cannot be fulfilled on pods "p": no';
    expect(test.said('FailedScheduling')).toEqual([message]);
    expect(test.pod('p').status!.conditions).toMatchObject([
      { type: 'PodScheduled', status: 'False', reason: 'SchedulerError', message },
    ]);
    await settle(200);
    expect(test.nodeOf('p')).toEqual(['a']);
    expect(test.metrics.text()).toContain(
      'scheduler_schedule_attempts_total{result="error",profile="default-scheduler"} 1',
    );
  });

  it('to which the api-server gives no answer is not told of', async () => {
    test.put(small('a'));
    let refusals = 0;
    test.answer = (command) =>
      isBinding(command) && ++refusals === 1
        ? Promise.reject(new StatusError('ServiceUnavailable', 'away'))
        : undefined;
    test.start();
    test.put(makePod('p'));
    await settle(2_000);
    expect([refusals, test.nodeOf('p')]).toEqual([2, ['a']]);
    expect(test.said('FailedScheduling')).toEqual([]);
    expect(test.sent('status')).toEqual([]);
  });

  it('that is refused wakes those who wait for its place', async () => {
    test.put(small('a'), makePod('p', { priority: 1 }), makePod('q'));
    let refuse = (): void => undefined;
    test.answer = (command) =>
      isBinding(command) && command.name === 'p'
        ? new Promise((_, reject) => {
            refuse = () => reject(conflict({ group: '', resource: 'pods' }, 'p', 'no'));
          })
        : undefined;
    test.start();
    await settle(5_000);
    expect(test.nodeOf('p', 'q')).toEqual([undefined, undefined]);
    refuse();
    await settle();
    expect(test.nodeOf('q')).toEqual(['a']);
  });

  it('of which nobody knows whether it happened is not repeated when it did', async () => {
    test.put(makeNode('a'), makePod('p'));
    test.answer = (command) => {
      if (!isBinding(command)) return undefined;
      test.cluster.lagging = true;
      test.cluster.apply(command);
      return Promise.reject(new OutcomeUnknownError('ServiceUnavailable', 'the connection was lost'));
    };
    test.start();
    await settle(30_000);
    test.cluster.deliver();
    await settle(30_000);
    expect(test.sent('binding')).toHaveLength(1);
    expect(test.nodeOf('p')).toEqual(['a']);
  });

  it('of which nobody knows whether it happened is repeated when it did not', async () => {
    test.put(makeNode('a'), makePod('p'));
    let lost = 0;
    test.answer = (command) =>
      isBinding(command) && ++lost <= 2 ? Promise.reject(new OutcomeUnknownError('Timeout', 'no answer')) : undefined;
    test.start();
    await settle(900);
    expect(test.nodeOf('p')).toEqual([undefined]);
    await settle(2_500);
    expect(test.nodeOf('p')).toEqual(['a']);
    expect(test.sent('binding')).toHaveLength(3);
  });

  it('of a pod that is deleted meanwhile ends there, and its place is free', async () => {
    test.put(small('a'), makePod('p'));
    test.answer = (command) => {
      if (!isBinding(command) || command.name !== 'p') return undefined;
      test.cluster.remove(podKind, 'default', 'p');
      return undefined;
    };
    test.start();
    await settle();
    test.put(makePod('q'));
    await settle(20_000);
    expect(test.sent('binding').map(({ command }) => command.name)).toEqual(['p', 'q']);
    expect(test.nodeOf('q')).toEqual(['a']);
  });

  it('of a pod on its way out, held by a finalizer, is not tried again', async () => {
    test.put(makeNode('a'), { ...makePod('p'), metadata: { ...makePod('p').metadata, finalizers: ['a/b'] } } as Pod);
    test.answer = (command) => {
      if (isBinding(command)) test.cluster.apply({ verb: 'delete', kind: podKind, namespace: 'default', name: 'p' });
      return undefined;
    };
    test.start();
    await settle(60_000);
    expect(test.sent('binding')).toHaveLength(1);
  });

  it('that somebody else was faster with counts where the pod really is, and wakes those who wait for its place', async () => {
    test.put(small('a'), makePod('p', { priority: 1 }), makePod('q'));
    test.answer = async (command) => {
      if (!isBinding(command) || command.name !== 'p') return undefined;
      await Promise.resolve();
      const target = { kind: 'Node', name: 'b' };
      const object = { apiVersion: 'v1', kind: 'Binding', metadata: {}, target };
      test.cluster.apply({ ...command, verb: 'create', object } as Command);
      return undefined;
    };
    test.start();
    await settle(5_000);
    test.put(small('b'), makePod('r'));
    await settle(5_000);
    expect(test.nodeOf('p', 'q', 'r')).toEqual(['b', 'a', undefined]);
  });

  it('is not repeated when an older state of the pod comes after its answer', async () => {
    test.put(makeNode('a'), makePod('p'));
    test.answer = (command) => {
      if (!isBinding(command)) return undefined;
      test.cluster.lagging = true;
      test.put({ ...makePod('p'), metadata: { ...makePod('p').metadata, labels: { a: 'b' } } } as Pod);
      return undefined;
    };
    test.start();
    await settle();
    test.cluster.deliver(1);
    await settle(20_000);
    expect(test.nodeOf('p')).toEqual(['a']);
    expect(test.sent('binding')).toHaveLength(1);
  });
});

describe('the end of a leadership', () => {
  it('waits for the answers of bindings under way, and decides nothing more', async () => {
    test.put(small('a'), makePod('p'));
    let answer = (): void => undefined;
    test.answer = (command) =>
      isBinding(command)
        ? new Promise<CommandOutcome>((resolve) => {
            answer = () => resolve(test.cluster.apply(command));
          })
        : undefined;
    test.start();
    await settle();
    let ended = false;
    const end = test.stop().then(() => {
      ended = true;
    });
    test.put(makeNode('b'), makePod('q'));
    await settle(100);
    expect(ended).toBe(false);
    answer();
    await end;
    await settle(60_000);
    expect(test.sent('binding').map(({ command }) => command.name)).toEqual(['p']);
    expect(test.said('Scheduled')).toHaveLength(1);
  });

  it('gives up what is not answered within a second', async () => {
    test.put(makeNode('a'), makePod('p'));
    test.answer = (_, signal) =>
      new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason as Error)));
    test.start();
    await settle();
    const ended = test.stop();
    await settle(1_000);
    await ended;
    await settle(60_000);
    expect(test.cluster.sent).toHaveLength(1);
  });

  it('may come before the cache has caught up', async () => {
    test.put(makeNode('a'), makePod('p'));
    test.cluster.lagging = true;
    test.put(makePod('q'));
    test.cluster.waitFor = (_, signal?: AbortSignal) =>
      new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason as Error)));
    test.start();
    await settle();
    await test.stop();
    expect(test.cluster.sent).toEqual([]);
  });
});
