import { describe, expect, it } from 'vitest';
import { aPod, created } from '../testing/objects.ts';
import { type Pod, pod } from './pod.ts';

describe('the time that a pod gets to end', () => {
  it.each<[Partial<Pod['spec']>, string, number | undefined, number]>([
    [{}, 'Running', undefined, 0],
    [{ nodeName: 'n' }, 'Running', undefined, 30],
    [{ nodeName: 'n' }, 'Running', 5, 5],
    [{ nodeName: 'n' }, 'Running', 0, 0],
    [{ nodeName: 'n', terminationGracePeriodSeconds: 7 }, 'Pending', undefined, 7],
    [{ nodeName: 'n' }, 'Succeeded', undefined, 0],
    [{ nodeName: 'n' }, 'Failed', 5, 0],
    [{ nodeName: 'n' }, 'Running', -3, 1],
  ])('of %j in phase %s, asked for %s seconds, is %d', (spec, phase, requested, seconds) => {
    const object = created(pod, aPod(spec));
    object.status = { phase: phase as never };
    expect(pod.gracePeriodSeconds(object as never, requested)).toBe(seconds);
  });
});

it('says of a pod that is created with scheduling gates that they hold it', () => {
  const gated = aPod({ schedulingGates: [{ name: 'example.com/quota' }] });
  gated.metadata.creationTimestamp = '2026-01-01T00:00:00Z';
  expect(created(pod, gated).status?.conditions).toEqual([
    {
      type: 'PodScheduled',
      status: 'False',
      reason: 'SchedulingGated',
      message: 'Scheduling is blocked due to non-empty scheduling gates',
      observedGeneration: 1,
      lastProbeTime: null,
      lastTransitionTime: '2026-01-01T00:00:00Z',
    },
  ]);
  expect(created(pod, aPod()).status?.conditions).toBeUndefined();
});

describe('fields of pods to select by', () => {
  it('are the indexed ones of Kubernetes', () => {
    const object = created(pod, aPod({ nodeName: 'n', serviceAccountName: 'robot' }));
    object.status = { phase: 'Running', podIPs: [{ ip: '10.0.0.1' }], nominatedNodeName: 'm' };
    const values = Object.entries(pod.selectableFields).map(([field, of]) => `${field}=${of(object)}`);
    expect(values).toEqual([
      'spec.nodeName=n',
      'spec.host=n',
      'spec.restartPolicy=Always',
      'spec.schedulerName=default-scheduler',
      'spec.serviceAccountName=robot',
      'spec.hostNetwork=false',
      'status.phase=Running',
      'status.podIP=10.0.0.1',
      'status.podIPs=10.0.0.1',
      'status.nominatedNodeName=m',
    ]);
  });
});
