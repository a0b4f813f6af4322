import { describe, expect, it } from 'vitest';
import { createProblems, updateProblems } from '../testing/objects.ts';
import { table } from '../testing/table.ts';
import { type RuntimeClass, runtimeClass } from './runtime-class.ts';

const aClass = (more: Partial<RuntimeClass> = {}): RuntimeClass => ({
  apiVersion: 'node.k8s.io/v1',
  kind: 'RuntimeClass',
  metadata: { name: 'sandboxed' },
  handler: 'runsc',
  ...more,
});
const toleration = { key: 'sandbox', operator: 'Exists' } as const;

describe('a runtime class', () => {
  it.each<[string, Partial<RuntimeClass>, string[]]>([
    [
      'with all that there is',
      {
        overhead: { podFixed: { cpu: '250m', memory: '120Mi' } },
        scheduling: { nodeSelector: { sandbox: 'yes' }, tolerations: [toleration] },
      },
      [],
    ],
    [
      'with an odd handler',
      { handler: 'Run_sc' },
      [expect.stringMatching(/^handler: Invalid value: "Run_sc": a lowercase RFC 1123 label/) as never],
    ],
    [
      'with odd overhead',
      { overhead: { podFixed: { cpu: '-1', cats: '1' } } },
      [
        'overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
        'overhead.limits[cats]: Invalid value: "cats": must be a standard resource type or fully qualified',
        'overhead.limits[cats]: Invalid value: "cats": must be a standard resource for containers',
      ],
    ],
    [
      'for odd nodes',
      { scheduling: { nodeSelector: { 'a/b/c': 'x' }, tolerations: [toleration, toleration, { operator: 'Equal' }] } },
      [
        expect.stringMatching(/^scheduling.nodeSelector: Invalid value: "a\/b\/c": a valid label key/) as never,
        'scheduling.tolerations.tolerations[2].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
        'scheduling.tolerations.tolerations[1]: Duplicate value: {"key":"sandbox","operator":"Exists"}',
      ],
    ],
  ])('%s', (_what, more, expected) => {
    expect(createProblems(runtimeClass, aClass(more))).toEqual(expected);
  });

  it('keeps its handler', () => {
    expect(updateProblems(runtimeClass, aClass(), (copy) => (copy.handler = 'kata'))).toEqual([
      'handler: Invalid value: "kata": field is immutable',
    ]);
  });

  it('prints its handler', () => {
    expect(table(runtimeClass, aClass())).toEqual(['NAME  HANDLER  AGE', 'sandboxed  runsc  60m']);
  });
});
