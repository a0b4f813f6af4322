import { describe, expect, it } from 'vitest';
import { created, createProblems, statusProblems, updateProblems } from '../testing/objects.ts';
import { type PodDisruptionBudget, podDisruptionBudget } from './pod-disruption-budget.ts';

type Spec = PodDisruptionBudget['spec'];

const aBudget = (spec: Spec = {}): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } }, ...spec },
});

describe('a new budget', () => {
  it('allows nothing yet', () => {
    const { metadata, status } = created(podDisruptionBudget, aBudget());
    expect([metadata.generation, status]).toEqual([
      1,
      { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
    ]);
  });

  it.each<[string, Spec, string[]]>([
    ['as people write it', {}, []],
    ['for all pods', { selector: {}, minAvailable: '50%', unhealthyPodEvictionPolicy: 'AlwaysAllow' }, []],
    [
      'with two bounds',
      { maxUnavailable: 1, selector: undefined },
      [
        'spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: minAvailable and maxUnavailable cannot be both set',
      ],
    ],
    [
      'of more than there is',
      { minAvailable: '101%' },
      ['spec.minAvailable: Invalid value: "101%": must not be greater than 100%'],
    ],
    [
      'of less than nothing',
      { minAvailable: undefined, maxUnavailable: -1 },
      ['spec.maxUnavailable: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'with a policy and a selector that there are not',
      { unhealthyPodEvictionPolicy: 'Never' as never, selector: { matchExpressions: [{ key: 'a', operator: 'Is' }] } },
      [
        'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget"',
        'spec.selector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator',
      ],
    ],
  ])('%s', (_what, spec, expected) => {
    expect(createProblems(podDisruptionBudget, aBudget(spec))).toEqual(expected);
  });

  it('may change, and counts its changes', () => {
    const change = ({ spec }: PodDisruptionBudget) => (spec.selector = {});
    expect(updateProblems(podDisruptionBudget, aBudget(), change)).toEqual([]);
  });
});

describe('the status of a budget', () => {
  it('has no counts below zero, and whole conditions', () => {
    const change = (copy: PodDisruptionBudget) => {
      copy.status = {
        disruptionsAllowed: -1,
        conditions: [
          { type: 'A', status: 'Maybe' as never, reason: '', message: '', lastTransitionTime: '' },
          { type: 'A', status: 'True', reason: 'a b', message: '', lastTransitionTime: '2026-11-21T10:00:00Z' },
        ],
      };
    };
    expect(statusProblems(podDisruptionBudget, aBudget(), change)).toEqual([
      'status.conditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
      'status.conditions[0].lastTransitionTime: Required value: must be set',
      'status.conditions[0].reason: Required value: must be set',
      'status.conditions[1].type: Duplicate value: "A"',
      expect.stringMatching(/^status\.conditions\[1\]\.reason: Invalid value: "a b": a condition reason must start/),
      'status.disruptionsAllowed: Invalid value: -1: must be greater than or equal to 0',
    ]);
  });
});
