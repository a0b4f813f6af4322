import { describe, expect, it } from 'vitest';
import { created, createProblems } from '../testing/objects.ts';
import { table } from '../testing/table.ts';
import { type LimitRange, limitRange } from './limit-range.ts';

type Items = LimitRange['spec']['limits'];

const aLimitRange = (...limits: Items): LimitRange => ({
  apiVersion: 'v1',
  kind: 'LimitRange',
  metadata: { name: 'limits', namespace: 'shop' },
  spec: { limits },
});

describe('a limit range', () => {
  it.each<[string, Items, string[]]>([
    ['of nothing', [], []],
    [
      'of each type',
      [
        { type: 'Container', max: { cpu: '2' }, min: { cpu: '100m' }, maxLimitRequestRatio: { cpu: '4' } },
        { type: 'Pod', max: { memory: '1Gi' } },
        { type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '10Gi' } },
        { type: 'example.com/Image', max: { storage: '1Gi' } },
      ],
      [],
    ],
    [
      'of unknown and repeated types',
      [{ type: 'Cat' }, { type: 'Pod' }, { type: 'Pod' }],
      [
        'spec.limits[0].type: Invalid value: "Cat": must be a standard limit type or fully qualified',
        'spec.limits[2].type: Duplicate value: "Pod"',
      ],
    ],
    [
      'with defaults for pods',
      [{ type: 'Pod', default: { cpu: '1' }, defaultRequest: { cpu: '1' } }],
      [
        "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
        "spec.limits[0].defaultRequest: Forbidden: may not be specified when `type` is 'Pod'",
      ],
    ],
    [
      'of claims without bounds',
      [{ type: 'PersistentVolumeClaim', default: { storage: '1Gi' } }],
      [
        'spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided',
      ],
    ],
    [
      'with unknown resources',
      [{ type: 'Pod', max: { cats: '1', storage: '1' } }],
      [
        'spec.limits[0].max[cats]: Invalid value: "cats": must be a standard resource type or fully qualified',
        'spec.limits[0].max[cats]: Invalid value: "cats": must be a standard resource for containers',
        'spec.limits[0].max[storage]: Invalid value: "storage": must be a standard resource for containers',
      ],
    ],
    [
      'whose bounds contradict each other',
      [
        {
          type: 'Container',
          min: { cpu: '2' },
          max: { cpu: '1' },
          default: { cpu: '1500m' },
          defaultRequest: { cpu: '1600m' },
          maxLimitRequestRatio: { cpu: '500m' },
        },
      ],
      [
        'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
        'spec.limits[0].defaultRequest[cpu]: Invalid value: "1600m": min value 2 is greater than default request value 1600m',
        'spec.limits[0].defaultRequest[cpu]: Invalid value: "1600m": default request value 1600m is greater than max value 1',
        'spec.limits[0].defaultRequest[cpu]: Invalid value: "1600m": default request value 1600m is greater than default limit value 1500m',
        'spec.limits[0].default[cpu]: Invalid value: "2": min value 2 is greater than default value 1500m',
        'spec.limits[0].default[cpu]: Invalid value: "1": default value 1500m is greater than max value 1',
        'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1',
      ],
    ],
    [
      'with a ratio that its bounds do not allow',
      [{ type: 'Pod', min: { cpu: '1' }, max: { cpu: '2' }, maxLimitRequestRatio: { cpu: '3' } }],
      ['spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "3": ratio 3 is greater than max/min = 2.000000'],
    ],
    [
      'that lets devices be promised twice',
      [{ type: 'Container', default: { 'example.com/gpu': '2' }, defaultRequest: { 'example.com/gpu': '1' } }],
      [
        'spec.limits[0].defaultRequest[example.com/gpu]: Invalid value: "1": default value 2 must equal to defaultRequest value 1 in example.com/gpu',
      ],
    ],
  ])('%s', (_what, limits, expected) => {
    expect(createProblems(limitRange, aLimitRange(...limits))).toEqual(expected);
  });

  it('takes what containers get from what they may have', () => {
    const [item] = created(
      limitRange,
      aLimitRange({ type: 'Container', max: { cpu: '2', memory: '1Gi' }, min: { cpu: '1', 'ephemeral-storage': '1' } }),
    ).spec.limits;
    expect(item).toMatchObject({
      default: { cpu: '2', memory: '1Gi' },
      defaultRequest: { cpu: '2', memory: '1Gi', 'ephemeral-storage': '1' },
    });
  });

  it('prints its age as a time', () => {
    expect(table(limitRange, aLimitRange())).toEqual(['NAME  CREATED AT', 'limits  2026-11-21T11:00:00Z']);
  });
});
