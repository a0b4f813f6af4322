import { FieldPath } from '@periplus/apimachinery';
import { describe, expect, it } from 'vitest';
import { aPod, aPodWith, created } from '../testing/objects.ts';
import { type Pod, pod } from './pod.ts';

const root = new FieldPath();

/** The pod after an update of one part of it, and what that would be refused for. */
function updated(part: string, old: Pod, change: (copy: Pod) => void): { now: Pod; problems: string[] } {
  const before = created(pod, old);
  before.metadata.resourceVersion = '1';
  const now = structuredClone(before);
  change(now);
  pod.setDefaults(now);
  pod.parts[part]!.prepare(now, before);
  const errors = pod.parts[part]!.validate(now, before, root);
  return { now, problems: errors.map(({ field, message }) => `${field}: ${message}`) };
}

const resources = (cpu: string, more: object = {}) => ({
  requests: { cpu, ...more },
  limits: { cpu: '4', memory: '1Gi' },
});

describe('a resize of a pod', () => {
  const old = () => aPodWith({ resources: resources('1') });

  it('changes what containers may use, and nothing else', () => {
    const { now, problems } = updated('resize', old(), ({ metadata, spec, status }) => {
      spec.containers[0]!.resources = resources('2');
      spec.containers[0]!.image = 'other';
      spec.nodeName = 'elsewhere';
      metadata.labels = { a: 'b' };
      status!.phase = 'Failed';
    });
    expect(problems).toEqual([]);
    expect(now.spec.containers[0]).toMatchObject({ image: 'web:1', resources: { requests: { cpu: '2' } } });
    expect([now.spec.nodeName, now.metadata.labels, now.status?.phase]).toEqual([undefined, undefined, 'Pending']);
    expect(now.metadata.generation).toBe(2);
  });

  it('that changes nothing is no change', () => {
    const { now, problems } = updated('resize', old(), () => {});
    expect(problems).toEqual([]);
    const same = created(pod, old());
    same.metadata.resourceVersion = '1';
    expect(now).toEqual(same);
  });

  it.each<[string, (pod: Pod) => void, string[]]>([
    [
      'takes nothing away',
      ({ spec }) => (spec.containers[0]!.resources = { limits: { cpu: '4' }, requests: { memory: '1Gi' } }),
      ['spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed'],
    ],
    [
      'is of CPU and memory alone',
      ({ spec }) => (spec.containers[0]!.resources = resources('1', { 'ephemeral-storage': '1Gi' })),
      ['spec: Forbidden: only cpu and memory resources are mutable'],
    ],
    [
      'keeps the class of the pod',
      ({ spec }) =>
        (spec.containers[0]!.resources = {
          requests: { cpu: '4', memory: '1Gi' },
          limits: { cpu: '4', memory: '1Gi' },
        }),
      ['spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing'],
    ],
    [
      'renames no container',
      ({ spec }) => (spec.containers[0]!.name = 'other'),
      ['spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize'],
    ],
    [
      'adds no container',
      ({ spec }) => spec.containers.push({ name: 'more', image: 'i' }),
      ['spec.containers: Forbidden: containers may not be added or removed on resize'],
    ],
    [
      'asks for no more than the limit',
      ({ spec }) => (spec.containers[0]!.resources = resources('5')),
      ['spec.containers[0].resources.requests: Invalid value: "5": must be less than or equal to cpu limit of 4'],
    ],
  ])('%s', (_what, change, expected) => {
    expect(updated('resize', old(), change).problems).toEqual(expected);
  });

  it('is of init containers only that stay', () => {
    const init = (restartPolicy?: 'Always') =>
      aPod({
        initContainers: [
          { name: 'init', image: 'i', resources: resources('1'), ...(restartPolicy && { restartPolicy }) },
        ],
      });
    const change = ({ spec }: Pod) => (spec.initContainers![0]!.resources = resources('2'));
    expect(updated('resize', init('Always'), change).problems).toEqual([]);
    expect(updated('resize', init(), change).problems).toEqual([
      'spec: Forbidden: resources for non-sidecar init containers are immutable',
    ]);
  });

  it('is of the pod as a whole, too', () => {
    const whole = () => aPod({ resources: resources('1') });
    const set = (next: object | undefined) => (copy: Pod) => {
      copy.spec.resources = next as Pod['spec']['resources'];
    };
    expect(updated('resize', whole(), set(resources('2'))).problems).toEqual([]);
    expect(updated('resize', whole(), set(undefined)).problems).toContain(
      'spec.resources: Forbidden: pod-level resources cannot be removed',
    );
  });

  it('is not for static pods, or for those of Windows', () => {
    const fixed = aPod({ nodeName: 'n' });
    fixed.metadata.annotations = { 'kubernetes.io/config.mirror': 'x' };
    expect(updated('resize', fixed, () => {}).problems).toEqual(['<nil>: Forbidden: static pods cannot be resized']);
    expect(updated('resize', aPod({ os: { name: 'windows' } }), () => {}).problems).toEqual([
      '<nil>: Forbidden: windows pods cannot be resized',
    ]);
  });
});

describe('ephemeral containers', () => {
  const debug = { name: 'debug', image: 'tools:1' };

  it('may come, while nothing else changes', () => {
    const { now, problems } = updated('ephemeralcontainers', aPod(), ({ spec }) => {
      spec.ephemeralContainers = [{ ...debug }];
      spec.containers[0]!.image = 'other';
    });
    expect(problems).toEqual([]);
    expect(now.spec.containers[0]?.image).toBe('web:1');
    expect(now.spec.ephemeralContainers).toMatchObject([{ name: 'debug', imagePullPolicy: 'IfNotPresent' }]);
    expect(now.metadata.generation).toBe(2);
  });

  it.each<[string, Pod['spec']['ephemeralContainers'], string]>([
    [
      'may not go',
      [],
      'spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be removed\n',
    ],
    [
      'may not change',
      [{ ...debug, image: 'tools:2' }],
      'spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be changed\n  container.image: "tools:1" -> "tools:2"',
    ],
    [
      'may not have the names of others',
      [{ ...debug }, { ...debug, name: 'main' }],
      'spec.ephemeralContainers[1].name: Duplicate value: "main"',
    ],
  ])('%s', (_what, next, expected) => {
    const before = created(pod, aPod());
    before.spec.ephemeralContainers = [{ ...debug }];
    pod.setDefaults(before);
    before.metadata.resourceVersion = '1';
    const now = structuredClone(before);
    now.spec.ephemeralContainers = next;
    pod.setDefaults(now);
    pod.parts.ephemeralcontainers!.prepare(now, before);
    const errors = pod.parts.ephemeralcontainers!.validate(now, before, root);
    expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual([expected]);
  });
});
