import { everythingOf, MANDATORY_FLOW_SCHEMAS } from '@periplus/api';
import { describe, expect, it } from 'vitest';
import { type ClassifiedBy, type FlowAttributes, FlowClassifier } from './flow-classifier.ts';

const user = (name: string, ...groups: string[]) => ({
  name,
  uid: '',
  groups: [...groups, 'system:authenticated'],
  extra: {},
});
const resource = (verb: string, group: string, plural: string, namespace = '', subresource = ''): FlowAttributes => ({
  ...{ isResource: true, verb, group, resource: plural, namespace, subresource },
  path: '',
});
const page = (path: string): FlowAttributes => ({
  ...{ isResource: false, verb: 'get', group: '', resource: '', namespace: '', subresource: '' },
  path,
});
const schema = (name: string, precedence: number, rules: ClassifiedBy['spec']['rules']): ClassifiedBy => ({
  name,
  spec: { priorityLevelConfiguration: { name: 'x' }, matchingPrecedence: precedence, rules: rules! },
});
const ofNodes = (verbs: string[], resources: string[], more: { clusterScope?: boolean; namespaces?: string[] }) => ({
  subjects: [{ kind: 'Group', group: { name: 'system:nodes' } }],
  resourceRules: [{ verbs, apiGroups: [''], resources, namespaces: [], ...more }],
});

const catchAll = { name: 'catch-all', spec: MANDATORY_FLOW_SCHEMAS['catch-all']! };
const classifier = new FlowClassifier(
  [
    catchAll,
    schema('b-later', 100, [ofNodes(['*'], ['nodes', 'nodes/status'], { clusterScope: true })]),
    schema('a-first', 100, [ofNodes(['get'], ['nodes'], { clusterScope: true })]),
    schema('in-x', 50, [ofNodes(['*'], ['*'], { namespaces: ['x'] })]),
    schema('accounts', 60, [
      {
        subjects: [{ kind: 'ServiceAccount', serviceAccount: { namespace: 'kube-system', name: '*' } }],
        resourceRules: everythingOf().resourceRules!,
      },
    ]),
    schema('probes', 2, [
      {
        subjects: [{ kind: 'Group', group: { name: '*' } }],
        nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/openapi/*'] }],
      },
    ]),
    { name: 'exempt', spec: MANDATORY_FLOW_SCHEMAS.exempt! },
  ],
  catchAll,
);

describe('FlowClassifier', () => {
  const node = user('system:node:n', 'system:nodes');
  it.each([
    [user('root', 'system:masters'), resource('list', '', 'pods'), 'exempt'],
    [node, resource('get', '', 'nodes'), 'a-first'],
    [node, resource('update', '', 'nodes', '', 'status'), 'b-later'],
    [node, resource('update', '', 'nodes', '', 'proxy'), 'catch-all'],
    [node, resource('update', 'apps', 'nodes'), 'catch-all'],
    [node, resource('get', '', 'pods', 'x'), 'in-x'],
    [node, resource('get', '', 'pods', 'y'), 'catch-all'],
    [user('system:serviceaccount:kube-system:a'), resource('get', '', 'pods', 'y'), 'accounts'],
    [user('system:serviceaccount:default:a'), resource('get', '', 'pods', 'y'), 'catch-all'],
    [user('somebody'), page('/healthz'), 'probes'],
    [user('somebody'), page('/openapi/v3'), 'probes'],
    [user('somebody'), page('/openapi'), 'catch-all'],
    // In none of the groups that catch-all is about.
    [{ name: 'x', uid: '', groups: [], extra: {} }, resource('get', '', 'pods'), 'catch-all'],
  ] as const)('finds the first schema that matches (%#)', (who, asked, expected) => {
    expect(classifier.of(who, asked).name).toBe(expected);
  });
});
