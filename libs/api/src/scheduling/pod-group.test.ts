import { describe, expect, it } from 'vitest';
import { createProblems, updateProblems } from '../testing/objects.ts';
import { type PodGroup, podGroup } from './pod-group.ts';

const group = (spec: PodGroup['spec']): PodGroup => ({
  apiVersion: 'scheduling.k8s.io/v1alpha2',
  kind: 'PodGroup',
  metadata: { name: 'training', namespace: 'default' },
  spec,
});
const gangOf = (minCount: number): PodGroup => group({ schedulingPolicy: { gang: { minCount } } });

describe('a pod group', () => {
  it.each<[string, PodGroup, string[]]>([
    ['that is a gang', gangOf(1), []],
    ['of pods for themselves', group({ schedulingPolicy: { basic: {} } }), []],
    [
      'without a policy',
      group({ schedulingPolicy: {} }),
      ['spec.schedulingPolicy: Invalid value: "": must specify one of: `basic`, `gang`'],
    ],
    [
      'with two policies',
      group({ schedulingPolicy: { basic: {}, gang: { minCount: 1 } } }),
      ['spec.schedulingPolicy: Invalid value: "{basic, gang}": must specify exactly one of: `basic`, `gang`'],
    ],
    [
      'of nobody',
      gangOf(0),
      ['spec.schedulingPolicy.gang.minCount: Invalid value: 0: must be greater than or equal to 1'],
    ],
    [
      'made from half a template',
      group({
        podGroupTemplateRef: { workload: { workloadName: 'job', podGroupTemplateName: '' } },
        schedulingPolicy: { basic: {} },
      }),
      ['spec.podGroupTemplateRef.workload.podGroupTemplateName: Required value'],
    ],
  ])('%s', (_, object, problems) => {
    expect(createProblems(podGroup, object)).toEqual(problems);
  });

  it('keeps its policy', () => {
    const change = (copy: PodGroup): void => {
      copy.spec.schedulingPolicy.gang!.minCount = 2;
    };
    expect(updateProblems(podGroup, gangOf(1), change)).toEqual([
      'spec.schedulingPolicy: Invalid value: {"gang":{"minCount":2}}: field is immutable',
    ]);
  });
});
