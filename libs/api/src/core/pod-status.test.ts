import type { IContainerStatus } from 'kubernetes-models/v1/ContainerStatus';
import type { IPodStatus } from 'kubernetes-models/v1/PodStatus';
import { describe, expect, it } from 'vitest';
import { aPod, cells, created } from '../testing/objects.ts';
import { type Pod, pod } from './pod.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');

const container = (state: IContainerStatus['state'], more: Partial<IContainerStatus> = {}): IContainerStatus => ({
  name: 'main',
  image: 'web:1',
  imageID: '',
  ready: false,
  restartCount: 0,
  state,
  ...more,
});
const running = (more: Partial<IContainerStatus> = {}) => container({ running: {} }, { ready: true, ...more });
const waiting = (reason: string, more: Partial<IContainerStatus> = {}) => container({ waiting: { reason } }, more);
const ended = (exitCode: number, reason?: string, more: Partial<IContainerStatus> = {}) =>
  container({ terminated: { exitCode, ...(reason && { reason }) } }, more);
const init = { name: 'setup', image: 'x' };
const sidecar = { name: 'proxy', image: 'x', restartPolicy: 'Always' };
const restarted = { restartCount: 3, lastState: { terminated: { exitCode: 1, finishedAt: '2026-11-21T11:55:00Z' } } };
const two = {
  containers: [
    { name: 'a', image: 'x' },
    { name: 'b', image: 'x' },
  ],
};

function printed(status: IPodStatus, spec: Partial<Pod['spec']> = {}, metadata: Pod['metadata'] = {}): string {
  const object = created(pod, aPod(spec));
  Object.assign(object.metadata, { creationTimestamp: '2026-11-21T11:00:00Z', ...metadata });
  object.status = status;
  return cells(pod, object, NOW);
}
const row = (...args: Parameters<typeof printed>): string => printed(...args).replace(/ \|.*/, '');

describe('kubectl get pods prints', () => {
  it.each<[string, string, Parameters<typeof printed>]>([
    ['a pod that no node has', 'web  0/1  Pending  0  60m', [{ phase: 'Pending' }]],
    [
      'a pod that is gated',
      'web  0/1  SchedulingGated  0  60m',
      [
        {
          phase: 'Pending',
          conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }],
        },
      ],
    ],
    [
      'a pod that starts',
      'web  0/1  ContainerCreating  0  60m',
      [{ phase: 'Pending', containerStatuses: [waiting('ContainerCreating')] }],
    ],
    ['a pod that runs', 'web  1/1  Running  0  60m', [{ phase: 'Running', containerStatuses: [running()] }]],
    [
      'a pod that runs but is not ready',
      'web  0/1  Running  0  60m',
      [{ phase: 'Running', containerStatuses: [running({ ready: false })] }],
    ],
    [
      'a pod that crashes',
      'web  0/1  CrashLoopBackOff  3 (5m ago)  60m',
      [{ phase: 'Running', containerStatuses: [waiting('CrashLoopBackOff', restarted)] }],
    ],
    [
      'a pod without its image',
      'web  0/1  ImagePullBackOff  0  60m',
      [{ phase: 'Pending', containerStatuses: [waiting('ImagePullBackOff')] }],
    ],
    [
      'a pod that is done',
      'web  0/1  Completed  0  60m',
      [{ phase: 'Succeeded', containerStatuses: [ended(0, 'Completed')] }],
    ],
    ['a pod that failed', 'web  0/1  Error  0  60m', [{ phase: 'Failed', containerStatuses: [ended(1, 'Error')] }]],
    ['a pod with an exit code', 'web  0/1  ExitCode:3  0  60m', [{ phase: 'Failed', containerStatuses: [ended(3)] }]],
    [
      'a pod that a signal ended',
      'web  0/1  Signal:9  0  60m',
      [{ phase: 'Failed', containerStatuses: [container({ terminated: { exitCode: 137, signal: 9 } })] }],
    ],
    ['an evicted pod', 'web  0/1  Evicted  0  60m', [{ phase: 'Failed', reason: 'Evicted' }]],
    [
      'a pod of which one container is done',
      'web  1/2  Running  0  60m',
      [
        {
          phase: 'Running',
          conditions: [{ type: 'Ready', status: 'True' }],
          containerStatuses: [ended(0, 'Completed', { name: 'a' }), running({ name: 'b' })],
        },
        two,
      ],
    ],
    [
      'the same when it is not ready',
      'web  1/2  NotReady  0  60m',
      [{ phase: 'Running', containerStatuses: [ended(0, 'Completed', { name: 'a' }), running({ name: 'b' })] }, two],
    ],
    [
      'a pod that is initialized',
      'web  0/1  Init:0/2  0  60m',
      [
        {
          phase: 'Pending',
          initContainerStatuses: [container({ running: {} }, { name: 'setup' }), waiting('PodInitializing')],
          containerStatuses: [waiting('PodInitializing')],
        },
        { initContainers: [init, { ...init, name: 'more' }] },
      ],
    ],
    [
      'a pod whose second init container fails',
      'web  0/1  Init:CrashLoopBackOff  3 (5m ago)  60m',
      [
        {
          phase: 'Pending',
          initContainerStatuses: [
            ended(0, 'Completed', { name: 'setup' }),
            waiting('CrashLoopBackOff', { name: 'more', ...restarted }),
          ],
        },
        { initContainers: [init, { ...init, name: 'more' }] },
      ],
    ],
    [
      'a pod whose init container ended badly',
      'web  0/1  Init:Error  0  60m',
      [{ phase: 'Pending', initContainerStatuses: [ended(1, 'Error', { name: 'setup' })] }, { initContainers: [init] }],
    ],
    [
      'a pod whose init container has only an exit code',
      'web  0/1  Init:ExitCode:2  0  60m',
      [{ phase: 'Pending', initContainerStatuses: [ended(2, '', { name: 'setup' })] }, { initContainers: [init] }],
    ],
    [
      'a pod with a sidecar, whose restarts count',
      'web  2/2  Running  4 (5m ago)  60m',
      [
        {
          phase: 'Running',
          initContainerStatuses: [running({ name: 'proxy', started: true, ...restarted })],
          containerStatuses: [running({ restartCount: 1 })],
        },
        { initContainers: [sidecar] },
      ],
    ],
    [
      'a pod whose sidecar starts',
      'web  0/2  Init:0/1  0  60m',
      [
        { phase: 'Pending', initContainerStatuses: [container({ running: {} }, { name: 'proxy', started: false })] },
        { initContainers: [sidecar] },
      ],
    ],
    [
      'restarts of init containers no more once it runs',
      'web  1/1  Running  0  60m',
      [
        {
          phase: 'Running',
          initContainerStatuses: [ended(0, 'Completed', { name: 'setup', ...restarted })],
          containerStatuses: [running()],
        },
        { initContainers: [init] },
      ],
    ],
    [
      'a pod that is being deleted',
      'web  1/1  Terminating  0  60m',
      [{ phase: 'Running', containerStatuses: [running()] }, {}, { deletionTimestamp: '2026-11-21T12:00:00Z' }],
    ],
    [
      'a deleted pod that had ended before',
      'web  0/1  Completed  0  60m',
      [
        { phase: 'Succeeded', containerStatuses: [ended(0, 'Completed')] },
        {},
        { deletionTimestamp: '2026-11-21T12:00:00Z' },
      ],
    ],
    [
      'a deleted pod whose node is lost',
      'web  1/1  Unknown  0  60m',
      [
        { phase: 'Running', reason: 'NodeLost', containerStatuses: [running()] },
        {},
        { deletionTimestamp: '2026-11-21T12:00:00Z' },
      ],
    ],
  ])('%s', (_what, expected, args) => {
    expect(row(...args)).toBe(expected);
  });

  it('more with -o wide', () => {
    expect(printed({ phase: 'Pending' })).toBe('web  0/1  Pending  0  60m | <none>  <none>  <none>  <none>');
    const status: IPodStatus = {
      phase: 'Running',
      podIPs: [{ ip: '10.0.0.7' }],
      nominatedNodeName: 'n2',
      conditions: [
        { type: 'example.com/ready', status: 'True' },
        { type: 'example.com/other', status: 'False' },
      ],
      containerStatuses: [running()],
    };
    const readinessGates = [{ conditionType: 'example.com/ready' }, { conditionType: 'example.com/other' }];
    expect(printed(status, { nodeName: 'n1', readinessGates })).toBe(
      'web  1/1  Running  0  60m | 10.0.0.7  n1  n2  1/2',
    );
  });
});
