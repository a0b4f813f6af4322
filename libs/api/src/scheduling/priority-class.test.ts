import { describe, expect, it } from 'vitest';
import { created, createProblems, updateProblems } from '../testing/objects.ts';
import { table } from '../testing/table.ts';
import { type PriorityClass, priorityClass } from './priority-class.ts';

const aClass = (more: Partial<PriorityClass> = {}): PriorityClass => ({
  apiVersion: 'scheduling.k8s.io/v1',
  kind: 'PriorityClass',
  metadata: { name: 'high' },
  value: 1000,
  ...more,
});
const system = (name: string, value: number, more: Partial<PriorityClass> = {}) =>
  aClass({ metadata: { name }, value, ...more });

describe('a priority class', () => {
  it.each<[string, PriorityClass, string[]]>([
    ['of a user', aClass(), []],
    ['below all others', aClass({ value: -2_147_483_648, preemptionPolicy: 'Never' }), []],
    [
      'above what users may have',
      aClass({ value: 1_000_000_001 }),
      ['value: Forbidden: maximum allowed value of a user defined priority is 1000000000'],
    ],
    [
      'with an odd policy',
      aClass({ preemptionPolicy: 'Always' as never }),
      ['preemptionPolicy: Unsupported value: "Always": supported values: "PreemptLowerPriority", "Never"'],
    ],
    ['of the system', system('system-node-critical', 2_000_001_000), []],
    [
      'of the system with another value',
      system('system-node-critical', 1),
      [
        "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: value of system-node-critical PriorityClass must be 2000001000",
      ],
    ],
    [
      'of the system for everybody',
      system('system-cluster-critical', 2_000_000_000, { globalDefault: true }),
      [
        "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: globalDefault of system-cluster-critical PriorityClass must be false",
      ],
    ],
    [
      'that only pretends to be of the system',
      system('system-x', 1),
      [
        "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-x is not a known system priority class",
      ],
    ],
  ])('%s', (_what, object, expected) => {
    expect(createProblems(priorityClass, object)).toEqual(expected);
  });

  it('is of its first generation and lets its pods take the place of others', () => {
    expect(created(priorityClass, aClass())).toMatchObject({
      metadata: { generation: 1 },
      preemptionPolicy: 'PreemptLowerPriority',
    });
  });

  it('keeps its value and policy', () => {
    const change = (copy: PriorityClass): void => {
      copy.value = 2;
      copy.preemptionPolicy = 'Never';
    };
    expect(updateProblems(priorityClass, aClass(), change)).toEqual([
      'value: Forbidden: may not be changed in an update.',
      'preemptionPolicy: Invalid value: "Never": field is immutable',
    ]);
    expect(updateProblems(priorityClass, aClass(), (copy) => (copy.globalDefault = true))).toEqual([]);
  });

  it('prints its value', () => {
    expect(table(priorityClass, aClass({ globalDefault: true }))).toEqual([
      'NAME  VALUE  GLOBAL-DEFAULT  AGE  PREEMPTIONPOLICY',
      'high  1000  true  60m  PreemptLowerPriority',
    ]);
  });
});
