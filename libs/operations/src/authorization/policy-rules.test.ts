import { describe, expect, it } from 'vitest';
import type { Attributes } from '../types.ts';
import { allowedNames, allowsName, allowsPath, type PolicyRule, shownRule, uncoveredRules } from './policy-rules.ts';

const asked = (verb: string, what: string, name = ''): Attributes => {
  const [group = '', resource = '', subresource = ''] = what.split('/');
  return { isResource: true, verb, group, version: 'v1', resource, subresource, namespace: 'x', name, path: '' };
};
const rule = (verbs: string, apiGroups: string, resources: string, ...resourceNames: string[]): PolicyRule => ({
  verbs: verbs.split(','),
  apiGroups: apiGroups.split(','),
  resources: resources.split(','),
  ...(resourceNames.length > 0 && { resourceNames }),
});

describe('a rule', () => {
  it.each<[string, PolicyRule, Attributes, boolean]>([
    ['allows what it names', rule('get', '', 'pods'), asked('get', '/pods', 'a'), true],
    ['allows no other verb', rule('get', '', 'pods'), asked('list', '/pods'), false],
    ['allows no other group', rule('get', 'apps', 'pods'), asked('get', '/pods'), false],
    ['allows no subresource of what it names', rule('get', '', 'pods'), asked('get', '/pods/log'), false],
    ['allows the subresource that it names', rule('get', '', 'pods/log'), asked('get', '/pods/log'), true],
    [
      'allows a subresource of everything',
      rule('update', '*', '*/scale'),
      asked('update', 'apps/deployments/scale'),
      true,
    ],
    ['with * allows every verb', rule('*', '', 'pods'), asked('patch', '/pods'), true],
    ['with * allows every group', rule('get', '*', 'pods'), asked('get', 'apps/pods'), true],
    ['with * allows every resource and subresource', rule('get', '', '*'), asked('get', '/pods/status'), true],
    ['allows only the names it has', rule('get', '', 'pods', 'a'), asked('get', '/pods', 'a'), true],
    ['allows no other name', rule('get', '', 'pods', 'a'), asked('get', '/pods', 'b'), false],
    ['with names allows no collection', rule('list', '', 'pods', 'a'), asked('list', '/pods'), false],
  ])('%s', (_, one, request, allowed) => {
    expect(allowsName(allowedNames([one], request), request.name)).toBe(allowed);
  });

  it('adds its names to those of others', () => {
    const rules = [rule('get', '', 'pods', 'a'), rule('get', '', 'pods', 'b')];
    expect(allowedNames(rules, asked('get', '/pods', 'a'))).toEqual(new Set(['a', 'b']));
    expect(allowedNames([...rules, rule('get', '', 'pods')], asked('get', '/pods', 'a'))).toBe('all');
  });

  it.each([
    ['/healthz', '/healthz', true],
    ['/healthz', '/healthz/etcd', false],
    ['/healthz/*', '/healthz/etcd', true],
    ['/healthz/*', '/healthz', false],
    ['*', '/anything', true],
  ])('for the path %s says of %s: %s', (pattern, path, allowed) => {
    expect(allowsPath([{ verbs: ['get'], nonResourceURLs: [pattern] }], 'get', path)).toBe(allowed);
    expect(allowsPath([{ verbs: ['get'], nonResourceURLs: [pattern] }], 'post', path)).toBe(false);
  });
});

describe('what somebody may grant', () => {
  it.each<[string, PolicyRule[], PolicyRule, number]>([
    ['what he has', [rule('get,list', '', 'pods')], rule('get', '', 'pods'), 0],
    ['a part of everything', [rule('*', '*', '*')], rule('get,delete', 'apps', 'deployments,deployments/scale'), 0],
    ['one name of all', [rule('get', '', 'pods')], rule('get', '', 'pods', 'a'), 0],
    ['parts of several rules', [rule('get', '', 'pods'), rule('list', '', 'pods')], rule('get,list', '', 'pods'), 0],
    ['not all when he has one name', [rule('get', '', 'pods', 'a')], rule('get', '', 'pods'), 1],
    ['not another name', [rule('get', '', 'pods', 'a')], rule('get', '', 'pods', 'a', 'b'), 1],
    ['not everything when he has something', [rule('get', '', 'pods')], rule('get', '*', '*'), 1],
    ['a subresource of everything', [rule('get', '', '*/log')], rule('get', '', 'pods/log'), 0],
  ])('is %s', (_, owned, wanted, missing) => {
    expect(uncoveredRules(owned, [wanted])).toHaveLength(missing);
  });

  it('includes paths', () => {
    const owned = [{ verbs: ['get'], nonResourceURLs: ['/api/*'] }];
    expect(uncoveredRules(owned, [{ verbs: ['get'], nonResourceURLs: ['/api/v1'] }])).toEqual([]);
    expect(uncoveredRules(owned, [{ verbs: ['get'], nonResourceURLs: ['/apis'] }])).toHaveLength(1);
  });

  it('is shown as Kubernetes shows it', () => {
    expect(shownRule(rule('get', '', 'pods', 'a'))).toBe(
      '{APIGroups:[""], Resources:["pods"], ResourceNames:["a"], Verbs:["get"]}',
    );
  });
});
