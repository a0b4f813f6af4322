import { describe, expect, it } from 'vitest';
import { createProblems, statusProblems, updateProblems } from '../testing/objects.ts';
import { table } from '../testing/table.ts';
import { type ResourceQuota, resourceQuota } from './resource-quota.ts';

type Spec = ResourceQuota['spec'];

const aQuota = (spec: Spec = {}, status?: ResourceQuota['status']): ResourceQuota => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'quota', namespace: 'shop' },
  spec,
  ...(status && { status }),
});
const onScope = (scopeName: string, operator: string, values?: string[]): Spec =>
  ({ scopeSelector: { matchExpressions: [{ scopeName, operator, ...(values && { values }) }] } }) as Spec;

describe('a resource quota', () => {
  it.each<[string, Spec, string[]]>([
    ['of nothing', {}, []],
    [
      'of all sorts of things',
      {
        hard: {
          pods: '10',
          'requests.cpu': '1500m',
          'hugepages-2Mi': '4Mi',
          'requests.hugepages-2Mi': '4Mi',
          'count/deployments.apps': '3',
          'requests.example.com/gpu': '4',
          'gold.storageclass.storage.k8s.io/requests.storage': '500Gi',
        },
      },
      [],
    ],
    [
      'of what there is not',
      { hard: { cats: '1', storage: '1Gi', 'a b': '1' } },
      [
        'spec.hard[cats]: Invalid value: "cats": must be a standard resource type or fully qualified',
        'spec.hard[cats]: Invalid value: "cats": must be a standard resource for quota',
        'spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota',
        expect.stringMatching(/^spec.hard\[a b\]: Invalid value: "a b": name part must consist of/) as never,
      ],
    ],
    [
      'of less than nothing, and of half a pod',
      { hard: { 'requests.cpu': '-1', pods: '500m' } },
      [
        'spec.hard[requests.cpu]: Invalid value: "-1": must be greater than or equal to 0',
        'spec.hard[pods]: Invalid value: "500m": must be an integer',
      ],
    ],
    ['of pods that end', { hard: { pods: '1', cpu: '1' }, scopes: ['Terminating', 'NotBestEffort'] }, []],
    [
      'with scopes that contradict each other',
      { scopes: ['Terminating', 'NotTerminating', 'BestEffort', 'NotBestEffort'] },
      [
        'spec.scopes: Invalid value: ["Terminating","NotTerminating","BestEffort","NotBestEffort"]: conflicting scopes',
        'spec.scopes: Invalid value: ["Terminating","NotTerminating","BestEffort","NotBestEffort"]: conflicting scopes',
      ],
    ],
    [
      'with scopes that do not fit',
      { hard: { cpu: '1', services: '1' }, scopes: ['BestEffort', 'Odd' as never] },
      [
        'spec.scopes: Invalid value: ["BestEffort","Odd"]: unsupported scope applied to resource',
        'spec.scopes: Invalid value: ["BestEffort","Odd"]: unsupported scope applied to resource',
        'spec.scopes: Invalid value: ["BestEffort","Odd"]: unsupported scope',
      ],
    ],
    ['of some priority classes', { hard: { pods: '1' }, ...onScope('PriorityClass', 'In', ['high']) }, []],
    [
      'of priority classes that it does not name',
      onScope('PriorityClass', 'In'),
      [
        "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
      ],
    ],
    [
      'with a scope that has values',
      onScope('BestEffort', 'NotIn', ['x']),
      [
        `spec.scopeSelector.matchExpressions.operator: Invalid value: "NotIn": must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity`,
      ],
    ],
    [
      'with an odd requirement',
      onScope('Odd', 'Odd', ['x']),
      [
        'spec.scopeSelector.matchExpressions.scopeName: Invalid value: "Odd": unsupported scope',
        'spec.scopeSelector.matchExpressions.operator: Invalid value: "Odd": not a valid selector operator',
      ],
    ],
  ])('%s', (_what, spec, expected) => {
    expect(createProblems(resourceQuota, aQuota(spec))).toEqual(expected);
  });

  it('keeps its scopes', () => {
    const spec: Spec = { scopes: ['BestEffort', 'Terminating'] };
    expect(updateProblems(resourceQuota, aQuota(spec), (copy) => copy.spec.scopes!.reverse())).toEqual([]);
    expect(updateProblems(resourceQuota, aQuota(spec), (copy) => copy.spec.scopes!.pop())).toEqual([
      'spec.scopes: Invalid value: ["BestEffort"]: field is immutable',
    ]);
  });

  it('counts only what can be counted', () => {
    const status = { hard: { pods: '1', cats: '1' }, used: { pods: '-1' } };
    expect(statusProblems(resourceQuota, aQuota(), (copy) => (copy.status = status))).toEqual([
      'status.hard[cats]: Invalid value: "cats": must be a standard resource type or fully qualified',
      'status.hard[cats]: Invalid value: "cats": must be a standard resource for quota',
      'status.used[pods]: Invalid value: "-1": must be greater than or equal to 0',
    ]);
  });

  it('prints what is used of what there is', () => {
    const hard = { 'requests.cpu': '4', pods: '10', 'limits.memory': '2Gi', 'limits.cpu': '8' };
    const used = { 'requests.cpu': '1500m', pods: '3', 'limits.cpu': '2' };
    expect(table(resourceQuota, aQuota({ hard }, { hard, used }))).toEqual([
      'NAME  REQUEST  LIMIT  AGE',
      'quota  pods: 3/10, requests.cpu: 1500m/4  limits.cpu: 2/8, limits.memory: 0/2Gi  60m',
    ]);
  });
});
