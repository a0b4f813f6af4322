import { describe, expect, it } from 'vitest';
import { aDeployment, created, createProblems, updateProblems } from '../testing/objects.ts';
import { type Endpoints, endpoints } from './endpoints.ts';
import { type PodTemplate, podTemplate } from './pod-template.ts';
import { type ReplicationController, replicationController } from './replication-controller.ts';

type Spec = ReplicationController['spec'];

const { template } = aDeployment().spec;
const aController = (spec: Spec = {}): ReplicationController => ({
  apiVersion: 'v1',
  kind: 'ReplicationController',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { template: structuredClone(template), ...spec },
});

describe('a replication controller', () => {
  it('selects by the labels of its template, and has them, when it has none', () => {
    const { metadata, spec, status } = created(replicationController, aController());
    expect([metadata.labels, spec.selector, spec.replicas]).toEqual([{ app: 'web' }, { app: 'web' }, 1]);
    expect([metadata.generation, status]).toEqual([1, { replicas: 0 }]);
  });

  it.each<[string, Spec, string[]]>([
    ['as people write it', {}, []],
    [
      'without anything',
      { template: undefined, replicas: -1 },
      [
        'spec.selector: Required value',
        'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
        'spec.template: Required value',
      ],
    ],
    [
      'that selects others',
      { selector: { app: 'other' } },
      ['spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`'],
    ],
    [
      'with pods that end',
      {
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'a', image: 'b' }], restartPolicy: 'Never', activeDeadlineSeconds: 1 },
        },
      },
      [
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
        'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicationController is not Supported',
      ],
    ],
  ])('%s', (_what, spec, expected) => {
    expect(createProblems(replicationController, aController(spec))).toEqual(expected);
  });

  it('may select others later', () => {
    const change = ({ spec }: ReplicationController) => {
      spec.selector = { app: 'new' };
      spec.template!.metadata = { labels: { app: 'new' } };
    };
    expect(updateProblems(replicationController, aController(), change)).toEqual([]);
  });
});

describe('a pod template', () => {
  const aTemplate = (): PodTemplate => ({
    apiVersion: 'v1',
    kind: 'PodTemplate',
    metadata: { name: 'web', namespace: 'shop' },
    template: structuredClone(template),
  });

  it('is checked like that of a workload', () => {
    expect(createProblems(podTemplate, aTemplate())).toEqual([]);
    expect(createProblems(podTemplate, { ...aTemplate(), template: {} })).toEqual([
      'template.spec.containers: Required value',
    ]);
  });

  it('counts its changes', () => {
    const old = created(podTemplate, aTemplate());
    const now = structuredClone(old);
    now.template.spec!.containers[0]!.image = 'web:2';
    podTemplate.prepareForUpdate(now, old);
    expect([old.metadata.generation, now.metadata.generation]).toEqual([1, 2]);
  });
});

describe('endpoints', () => {
  const with1 = (subset: NonNullable<Endpoints['subsets']>[number]): Endpoints => ({
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: 'web', namespace: 'shop' },
    subsets: [subset],
  });

  it.each<[string, NonNullable<Endpoints['subsets']>[number], string[]]>([
    ['as controllers write them', { addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }, []],
    ['that are not ready and have no port', { notReadyAddresses: [{ ip: '10.0.0.1' }] }, []],
    [
      'without addresses',
      { ports: [{ port: 80 }] },
      ['subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`'],
    ],
    [
      'that are nowhere',
      { addresses: [{ ip: 'web' }, { ip: '127.0.0.1', hostname: 'A' }], ports: [{ port: 0 }, { port: 1, name: 'b' }] },
      [
        'subsets[0].addresses[0].ip: Invalid value: "web": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        'subsets[0].addresses[0].ip: Invalid value: "web": must be a valid IP address',
        expect.stringMatching(/^subsets\[0\]\.addresses\[1\]\.hostname: Invalid value: "A"/) as never,
        'subsets[0].addresses[1].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
        'subsets[0].ports[0].name: Required value',
        'subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
      ],
    ],
    [
      'of a protocol that there is not',
      { addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 1, protocol: 'ICMP' as never }] },
      ['subsets[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"'],
    ],
  ])('%s', (_what, subset, expected) => {
    expect(createProblems(endpoints, with1(subset))).toEqual(expected);
  });
});
