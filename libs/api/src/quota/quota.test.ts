import type { KubeObject } from '@periplus/apimachinery';
import { describe, expect, it } from 'vitest';
import type { ResourceQuota } from '../core/resource-quota.ts';
import { aPod, aPodWith, aService } from '../testing/objects.ts';
import { isInScope } from './scopes.ts';
import { quotaUsage, unsaid } from './usage.ts';

const usage = (resource: string, object: object, group = ''): Record<string, string> =>
  Object.fromEntries(
    [...quotaUsage({ group, resource }, object as KubeObject)].map(([name, amount]) => [name, amount.toString()]),
  );
const aClaim = (more: object, status?: object): object => ({
  metadata: { name: 'data' },
  spec: { resources: { requests: { storage: '1Gi' } }, ...more },
  ...(status && { status }),
});
const quotaOn = (spec: object): ResourceQuota => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'q' },
  spec: spec as ResourceQuota['spec'],
});

describe('in a quota', () => {
  it.each<[string, string, object, Record<string, string>]>([
    ['a secret is one', 'secrets', {}, { 'count/secrets': '1', secrets: '1' }],
    ['anything else is counted by its name', 'endpoints', {}, { 'count/endpoints': '1' }],
    [
      'a pod is what it asks for',
      'pods',
      aPodWith({
        resources: {
          requests: { cpu: '1', memory: '1Gi', 'example.com/gpu': '2', 'hugepages-2Mi': '4Mi' },
          limits: { cpu: '2', 'example.com/gpu': '2', 'hugepages-2Mi': '4Mi' },
        },
      }),
      {
        'count/pods': '1',
        pods: '1',
        cpu: '1',
        'requests.cpu': '1',
        memory: '1Gi',
        'requests.memory': '1Gi',
        'requests.example.com/gpu': '2',
        'hugepages-2Mi': '4Mi',
        'requests.hugepages-2Mi': '4Mi',
        'limits.cpu': '2',
      },
    ],
    ['a pod that has ended is only there', 'pods', { ...aPod(), status: { phase: 'Failed' } }, { 'count/pods': '1' }],
    [
      'a service is its ports',
      'services',
      aService({ type: 'NodePort', ports: [{ port: 80 }, { port: 81 }] }),
      { 'count/services': '1', services: '1', 'services.nodeports': '2', 'services.loadbalancers': '0' },
    ],
    [
      'a balancer without node ports has none',
      'services',
      aService({ type: 'LoadBalancer', allocateLoadBalancerNodePorts: false }),
      { 'count/services': '1', services: '1', 'services.nodeports': '0', 'services.loadbalancers': '1' },
    ],
    [
      'a claim is its storage, of its class',
      'persistentvolumeclaims',
      aClaim({ storageClassName: 'gold' }, { allocatedResources: { storage: '2Gi' } }),
      {
        'count/persistentvolumeclaims': '1',
        persistentvolumeclaims: '1',
        'requests.storage': '2Gi',
        'gold.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
        'gold.storageclass.storage.k8s.io/requests.storage': '2Gi',
      },
    ],
  ])('%s', (_what, resource, object, expected) => {
    expect(usage(resource, object)).toEqual(expected);
  });

  it('a claim of devices is as many of each class as it may be given', () => {
    const requests = [
      { name: 'two', exactly: { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 2 } },
      { name: 'all', exactly: { deviceClassName: 'nic', allocationMode: 'All' } },
      {
        name: 'some',
        firstAvailable: [
          { name: 'a', deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 1 },
          { name: 'b', deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 4 },
          { name: 'c', deviceClassName: 'fpga', allocationMode: 'ExactCount', count: 3 },
        ],
      },
    ];
    expect(usage('resourceclaims', { spec: { devices: { requests } } }, 'resource.k8s.io')).toEqual({
      'count/resourceclaims.resource.k8s.io': '1',
      'gpu.deviceclass.resource.k8s.io/devices': '6',
      'nic.deviceclass.resource.k8s.io/devices': '32',
      'fpga.deviceclass.resource.k8s.io/devices': '3',
    });
    expect(usage('resourceclaims', { spec: { devices: { requests: null } } }, 'resource.k8s.io')).toEqual({
      'count/resourceclaims.resource.k8s.io': '1',
    });
  });

  it('objects of other groups are counted with the group', () => {
    expect(usage('deployments', {}, 'apps')).toEqual({ 'count/deployments.apps': '1' });
    expect(usage('secrets', {}, 'example.com')).toEqual({ 'count/secrets.example.com': '1' });
  });
});

describe('a quota of pods', () => {
  const term = { topologyKey: 'zone', namespaceSelector: {} };
  it.each<[string, object, object, boolean]>([
    ['that end', { scopes: ['Terminating'] }, { activeDeadlineSeconds: 5 }, true],
    ['that end', { scopes: ['Terminating'] }, {}, false],
    ['that do not end', { scopes: ['NotTerminating', 'BestEffort'] }, {}, true],
    ['that ask for something', { scopes: ['NotBestEffort'] }, {}, false],
    [
      'of a class',
      { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] } },
      { priorityClassName: 'high' },
      true,
    ],
    [
      'of a class',
      { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] } },
      { priorityClassName: 'low' },
      false,
    ],
    [
      'of other classes',
      { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'NotIn', values: ['high'] }] } },
      {},
      true,
    ],
    [
      'of no class',
      { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'DoesNotExist' }] } },
      {},
      true,
    ],
    [
      'that look at other namespaces',
      { scopes: ['CrossNamespacePodAffinity'] },
      { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } },
      true,
    ],
    ['that look at other namespaces', { scopes: ['CrossNamespacePodAffinity'] }, {}, false],
  ])('%s', (_what, spec, podSpec, expected) => {
    expect(isInScope(quotaOn(spec), { group: '', resource: 'pods' }, aPod(podSpec))).toBe(expected);
  });

  it('is about nothing else', () => {
    const service = aService();
    expect(isInScope(quotaOn({ scopes: ['BestEffort'] }), { group: '', resource: 'services' }, service)).toBe(false);
    expect(isInScope(quotaOn({}), { group: '', resource: 'services' }, service)).toBe(true);
  });

  it('wants to hear what they need', () => {
    const containers = [
      { name: 'b', image: 'x' },
      { name: 'a', image: 'x', resources: { requests: { cpu: '1' } } },
    ];
    expect(unsaid(['limits.cpu', 'requests.cpu', 'pods'], aPod({ containers }))).toBe(
      'limits.cpu for: a,b; requests.cpu for: b',
    );
    expect(unsaid(['pods', 'services'], aPod({ containers }))).toBe('');
    const resources = { requests: { cpu: '1' }, limits: { cpu: '1' } };
    expect(unsaid(['limits.cpu', 'cpu'], aPod({ containers, resources }))).toBe('');
  });
});
