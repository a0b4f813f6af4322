import { FieldPath } from '@periplus/apimachinery';
import { describe, expect, it } from 'vitest';
import { aPod, created, statusProblems, updateProblems } from '../testing/objects.ts';
import { type Pod, pod } from './pod.ts';

describe('an update of a pod', () => {
  const fixed =
    'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';
  const old = () =>
    aPod({ tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }] });

  it.each<[string, (copy: Pod) => void, string[]]>([
    ['may change labels', (copy) => (copy.metadata.labels = { a: 'b' }), []],
    ['may change an image', ({ spec }) => (spec.containers[0]!.image = 'web:2'), []],
    ['may set a deadline', ({ spec }) => (spec.activeDeadlineSeconds = 5), []],
    ['may add a toleration', ({ spec }) => spec.tolerations?.push({ key: 'b', operator: 'Exists' }), []],
    ['may change how long a taint is tolerated', ({ spec }) => (spec.tolerations![0]!.tolerationSeconds = 9), []],
    [
      'may not remove a toleration',
      ({ spec }) => (spec.tolerations = []),
      ['spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds'],
    ],
    [
      'may not add a container',
      ({ spec }) => spec.containers.push({ name: 'b', image: 'x' }),
      ['spec.containers: Forbidden: pod updates may not add or remove containers'],
    ],
    ['may not move the pod', ({ spec }) => (spec.nodeName = 'n2'), [`${fixed}\n  spec.nodeName: unset -> "n2"`]],
    [
      'may not change a command',
      ({ spec }) => (spec.containers[0]!.command = ['sh']),
      [`${fixed}\n  spec.containers[0].command: unset -> ["sh"]`],
    ],
    [
      'may not add a gate',
      ({ spec }) => (spec.schedulingGates = [{ name: 'example.com/x' }]),
      [
        "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'example.com/x'",
      ],
    ],
    [
      'may not change the identity',
      (copy) => (copy.metadata.uid = 'other'),
      ['metadata.uid: Invalid value: "other": field is immutable'],
    ],
  ])('%s', (_what, change, expected) => {
    expect(updateProblems(pod, old(), change)).toEqual(expected);
  });

  it('may only shorten a deadline', () => {
    const withDeadline = aPod({ activeDeadlineSeconds: 10 });
    expect(updateProblems(pod, withDeadline, ({ spec }) => (spec.activeDeadlineSeconds = 9))).toEqual([]);
    expect(updateProblems(pod, withDeadline, ({ spec }) => (spec.activeDeadlineSeconds = 11))).toEqual([
      'spec.activeDeadlineSeconds: Invalid value: 11: must be less than or equal to previous value',
    ]);
    expect(updateProblems(pod, withDeadline, ({ spec }) => delete spec.activeDeadlineSeconds)).toEqual([
      'spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value',
    ]);
  });

  it('may narrow where a gated pod runs, and remove its gates', () => {
    const gated = () => aPod({ nodeSelector: { a: 'b' }, schedulingGates: [{ name: 'example.com/x' }] });
    const narrow = ({ spec }: Pod) => {
      spec.nodeSelector = { a: 'b', c: 'd' };
      spec.schedulingGates = [];
    };
    expect(updateProblems(pod, gated(), narrow)).toEqual([]);
    expect(updateProblems(pod, gated(), ({ spec }) => (spec.nodeSelector = { a: 'c' }))).toEqual([
      'spec.nodeSelector: Invalid value: {"a":"c"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
    ]);
  });

  it('keeps the status, and counts changes of the spec', () => {
    const before = created(pod, aPod());
    const after = structuredClone(before);
    after.status = { phase: 'Running' };
    pod.prepareForUpdate(after, before);
    expect([after.status.phase, after.metadata.generation]).toEqual(['Pending', 1]);
    after.spec.containers[0]!.image = 'web:2';
    pod.prepareForUpdate(after, before);
    expect(after.metadata.generation).toBe(2);
  });
});

describe('an update of the status of a pod', () => {
  it('keeps the spec, the owners and the quality of service', () => {
    const before = created(pod, aPod());
    const after = structuredClone(before);
    after.spec.nodeName = 'n';
    after.metadata.ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'u' }];
    after.status = { phase: 'Running', podIP: '10.0.0.1' };
    pod.setDefaults(after);
    pod.prepareForStatusUpdate(after, before);
    expect(after.spec).toEqual(before.spec);
    expect(after.metadata.ownerReferences).toBeUndefined();
    expect(after.status).toEqual({
      phase: 'Running',
      podIP: '10.0.0.1',
      podIPs: [{ ip: '10.0.0.1' }],
      qosClass: 'BestEffort',
    });
    expect(pod.validateStatusUpdate(after, before, new FieldPath())).toEqual([]);
  });

  it.each<[string, (copy: Pod) => void, string[]]>([
    [
      'may not change the quality of service',
      (copy) => (copy.status = { qosClass: 'Guaranteed' }),
      ['status.qosClass: Invalid value: "Guaranteed": field is immutable'],
    ],
    [
      'needs addresses',
      (copy) => (copy.status = { podIPs: [{ ip: 'x' }] }),
      ['status.podIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ],
    [
      'may not name two addresses of one family',
      (copy) => (copy.status = { podIPs: [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }] }),
      [
        'status.podIPs: Invalid value: [{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}]: may specify no more than one IP for each IP family',
      ],
    ],
  ])('%s', (_what, change, expected) => {
    expect(statusProblems(pod, aPod(), change)).toEqual(expected);
  });

  it('may not revive a container that ended for good', () => {
    const ended = { name: 'main', image: 'x', imageID: '', ready: false, restartCount: 0 };
    const before = created(pod, aPod({ restartPolicy: 'Never' }));
    before.status = {
      qosClass: 'BestEffort',
      containerStatuses: [{ ...ended, state: { terminated: { exitCode: 1 } } }],
    };
    const after = structuredClone(before);
    after.status!.containerStatuses![0]!.state = { running: {} };
    expect(pod.validateStatusUpdate(after, before, new FieldPath())).toEqual([
      {
        field: 'status.containerStatuses[0].state',
        reason: 'FieldValueForbidden',
        message: 'Forbidden: may not be transitioned to non-terminated state',
      },
    ]);
  });
});
