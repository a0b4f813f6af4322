import { describe, expect, it } from 'vitest';
import type { PodInput } from './decide-pod.ts';
import { aContainer, aMemory, anInput, aPod, aRuntime, exited, NOW } from './pod-fixtures.ts';
import { DEADLINE_EXCEEDED, deadlineMs, reportPod } from './pod-status.ts';
import type { Pod } from './pod-types.ts';

const status = (input: Partial<PodInput>) => reportPod(anInput(input)).status;
const condition = (input: Partial<PodInput>, type: string) =>
  status(input).conditions?.find((one) => one.type === type);

describe('the phase', () => {
  const never = aPod({ restartPolicy: 'Never' });
  const onFailure = aPod({ restartPolicy: 'OnFailure' });
  const failed = exited({ exitCode: 1 });
  const deleted = aPod({}, { deletionTimestamp: '2026-11-21T12:00:30Z' });
  const two = aPod({ restartPolicy: 'Never', containers: [{ name: 'main' }, { name: 'other' }] });
  it.each<[string, Pod, PodInput['runtime'], string]>([
    ['Pending without a sandbox', aPod(), aRuntime([], 'none'), 'Pending'],
    ['Running with a running container', aPod(), aRuntime([aContainer()]), 'Running'],
    ['Running while a container that ended is restarted', aPod(), aRuntime([failed]), 'Running'],
    ['Failed under Never', never, aRuntime([failed]), 'Failed'],
    ['Succeeded under Never', never, aRuntime([exited()]), 'Succeeded'],
    ['Succeeded under OnFailure', onFailure, aRuntime([exited()]), 'Succeeded'],
    ['Running under OnFailure after a failure', onFailure, aRuntime([failed]), 'Running'],
    ['Running while one of two runs', two, aRuntime([failed, aContainer({ name: 'other' })]), 'Running'],
    ['Failed when a deleted pod ended badly, though it would be restarted', deleted, aRuntime([failed]), 'Failed'],
    [
      'Failed when an init container failed under Never',
      aPod({ restartPolicy: 'Never', initContainers: [{ name: 'a' }] }),
      aRuntime([exited({ name: 'a', exitCode: 2 })]),
      'Failed',
    ],
    [
      'Pending while an init container runs',
      aPod({ initContainers: [{ name: 'a' }] }),
      aRuntime([aContainer({ name: 'a' })]),
      'Pending',
    ],
    ['final for good', { ...never, status: { phase: 'Succeeded' } }, aRuntime([], 'none'), 'Succeeded'],
  ])('is %s', (_, pod, runtime, phase) => {
    expect(status({ pod, runtime }).phase).toBe(phase);
  });
});

describe('the status of a container', () => {
  it('says what it waits for', () => {
    expect(status({ runtime: aRuntime([], 'none') }).containerStatuses).toMatchObject([
      { name: 'main', ready: false, restartCount: 0, state: { waiting: { reason: 'ContainerCreating' } } },
    ]);
    const startFailures = new Map([['main', { reason: 'ImagePullBackOff', message: 'Back-off', retryAtMs: NOW }]]);
    expect(status({ memory: aMemory({ startFailures }) }).containerStatuses?.[0]?.state).toEqual({
      waiting: { reason: 'ImagePullBackOff', message: 'Back-off' },
    });
  });

  it('is in CrashLoopBackOff until it may start again, and shows how it ended', () => {
    const memory = aMemory({ retryAt: (_, endedMs) => endedMs + 40_000, backoffMs: () => 40_000 });
    const found = status({ runtime: aRuntime([exited({ exitCode: 3, attempt: 2 })]), memory }).containerStatuses?.[0];
    expect(found).toMatchObject({
      restartCount: 2,
      state: {
        waiting: {
          reason: 'CrashLoopBackOff',
          message: 'back-off 40s restarting failed container=main pod=web_default(uid-1)',
        },
      },
      lastState: { terminated: { exitCode: 3, reason: 'Error', containerID: 'containerd://main-2' } },
    });
  });

  it('shows the run before this one', () => {
    const containers = [exited({ exitCode: 137, reason: 'OOMKilled' }), aContainer({ attempt: 1 })];
    expect(status({ runtime: aRuntime(containers) }).containerStatuses?.[0]).toMatchObject({
      restartCount: 1,
      state: { running: { startedAt: '2026-11-21T11:59:00Z' } },
      lastState: { terminated: { reason: 'OOMKilled', exitCode: 137 } },
    });
  });

  it('quotes the termination message', () => {
    const memory = aMemory({ terminationMessage: () => 'out of luck' });
    const pod = aPod({ restartPolicy: 'Never' });
    expect(
      status({ pod, runtime: aRuntime([exited({ exitCode: 1 })]), memory }).containerStatuses?.[0]?.state,
    ).toMatchObject({
      terminated: { message: 'out of luck' },
    });
  });

  it('is told of as lost when it ran and the runtime does not know it any more', () => {
    const told = {
      ...{ name: 'main', ready: true, restartCount: 1, image: '', imageID: '', containerID: 'containerd://old' },
      state: { running: { startedAt: '2026-11-21T11:00:00Z' } },
    };
    const pod = { ...aPod(), status: { phase: 'Running' as const, containerStatuses: [told] } };
    expect(status({ pod }).containerStatuses?.[0]).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } },
    });
  });
});

describe('the conditions', () => {
  it('name the containers that are not ready', () => {
    const probes = () => ({ started: true, ready: false, failed: null });
    expect(condition({ runtime: aRuntime([aContainer()]), memory: aMemory({ probes }) }, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [main]',
    });
  });

  it('name the init containers that have not succeeded', () => {
    const pod = aPod({ initContainers: [{ name: 'a' }, { name: 'b' }] });
    expect(condition({ pod, runtime: aRuntime([exited({ name: 'a' })]) }, 'Initialized')).toMatchObject({
      status: 'False',
      message: 'containers with incomplete status: [b]',
    });
  });

  it('keep their time while they stay the same', () => {
    const lastTransitionTime = '2026-11-20T00:00:00Z';
    const pod = { ...aPod(), status: { conditions: [{ type: 'Ready', status: 'True' as const, lastTransitionTime }] } };
    expect(condition({ pod, runtime: aRuntime([aContainer()]) }, 'Ready')).toMatchObject({ lastTransitionTime });
    expect(condition({ pod }, 'Ready')).toMatchObject({ lastTransitionTime: '2026-11-21T12:00:00Z' });
  });

  it('wait for readiness gates', () => {
    const pod = aPod({ readinessGates: [{ conditionType: 'example.com/lb' }] });
    expect(condition({ pod, runtime: aRuntime([aContainer()]) }, 'Ready')).toMatchObject({
      reason: 'ReadinessGatesNotReady',
      message: 'corresponding condition of pod readiness gate "example.com/lb" does not exist.',
    });
  });
});

it('a pod whose time is up has failed, whatever its containers do', () => {
  const pod = { ...aPod({ activeDeadlineSeconds: 60 }), status: { startTime: '2026-11-21T11:58:00Z' } };
  expect(deadlineMs(pod)).toBe(NOW - 60_000);
  const running = reportPod(anInput({ pod, runtime: aRuntime([aContainer()]) }), DEADLINE_EXCEEDED);
  expect(running).toMatchObject({ isOver: true, status: { phase: 'Running' } });
  const stopped = reportPod(anInput({ pod, runtime: aRuntime([exited({ exitCode: 137 })]) }), DEADLINE_EXCEEDED);
  expect(stopped).toMatchObject({ isOver: true, status: { phase: 'Failed', reason: 'DeadlineExceeded' } });
});

it('a pod is not told to be over while a sidecar of it runs', () => {
  const pod = aPod({ restartPolicy: 'Never', initContainers: [{ name: 's', restartPolicy: 'Always' }] });
  const containers = [aContainer({ name: 's' }), exited()];
  expect(reportPod(anInput({ pod, runtime: aRuntime(containers) }))).toMatchObject({
    isOver: true,
    status: { phase: 'Running' },
  });
});

it('a pod on the network of the node has its addresses', () => {
  expect(status({ pod: aPod({ hostNetwork: true }) })).toMatchObject({ podIP: '192.168.0.1', hostIP: '192.168.0.1' });
});
