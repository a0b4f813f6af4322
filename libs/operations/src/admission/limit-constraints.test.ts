import type { LimitRange, Pod } from '@periplus/api';
import { parseQuantity } from '@periplus/apimachinery';
import { describe, expect, it } from 'vitest';
import { claimProblems, podProblems } from './limit-constraints.ts';

type Item = LimitRange['spec']['limits'][number];
type Resources = NonNullable<Pod['spec']['containers'][number]['resources']>;

const podOf = (...all: Resources[]): Pod['spec'] => ({
  containers: all.map((resources, i) => ({ name: `c${i}`, resources })),
});

describe('what a limit range says of a pod', () => {
  it.each<[string, Item, Resources[], string[]]>([
    [
      'that keeps to it',
      { type: 'Container', min: { cpu: '1' }, max: { cpu: '2' } },
      [{ requests: { cpu: '1' }, limits: { cpu: '2' } }],
      [],
    ],
    [
      'that says nothing',
      { type: 'Container', min: { cpu: '1' }, max: { memory: '1Gi' }, maxLimitRequestRatio: { cpu: '2' } },
      [{}],
      [
        'minimum cpu usage per Container is 1.  No request is specified',
        'maximum memory usage per Container is 1Gi.  No limit is specified',
        'cpu max limit to request ratio per Container is 2, but no request is specified or request is 0',
      ],
    ],
    [
      'that asks for too little',
      { type: 'Container', min: { cpu: '1' } },
      [{ requests: { cpu: '500m' }, limits: { cpu: '500m' } }],
      ['minimum cpu usage per Container is 1, but request is 500m'],
    ],
    [
      'that asks for too much',
      { type: 'Container', max: { cpu: '1' } },
      [{ limits: { cpu: '2' } }, { requests: { cpu: '1500m' }, limits: { cpu: '1' } }],
      [
        'maximum cpu usage per Container is 1, but limit is 2',
        'maximum cpu usage per Container is 1, but request is 1500m',
      ],
    ],
    [
      'whose limits are too far from its requests',
      { type: 'Container', maxLimitRequestRatio: { memory: '1500m' } },
      [{ requests: { memory: '1Gi' }, limits: { memory: '2Gi' } }, { requests: { memory: '1Gi' } }],
      [
        'memory max limit to request ratio per Container is 1500m, but provided ratio is 2.000000',
        'memory max limit to request ratio per Container is 1500m, but no limit is specified or limit is 0',
      ],
    ],
    [
      'as a whole',
      { type: 'Pod', max: { cpu: '1' } },
      [{ limits: { cpu: '600m' } }, { limits: { cpu: '600m' } }],
      ['maximum cpu usage per Pod is 1, but limit is 1200m'],
    ],
    ['that is not what it is about', { type: 'PersistentVolumeClaim', max: { storage: '1' } }, [{}], []],
  ])('%s', (_what, item, resources, expected) => {
    expect(podProblems([item], podOf(...resources))).toEqual(expected);
  });
});

it('a claim is as large as its limit range wants', () => {
  const item: Item = { type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '2Gi' } };
  expect(claimProblems([item], parseQuantity('1536Mi'))).toEqual([]);
  expect(claimProblems([item], parseQuantity('1Mi'))).toEqual([
    'minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi',
  ]);
  expect(claimProblems([item], parseQuantity('3Gi'))).toEqual([
    'maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi',
  ]);
});
