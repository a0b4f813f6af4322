import { describe, expect, it } from 'vitest';
import { requestInfo } from './request-info.ts';

describe('requestInfo', () => {
  it.each([
    ['GET', '/api/v1/pods', { verb: 'list', resource: 'pods', namespace: '' }],
    ['GET', '/api/v1/namespaces', { verb: 'list', resource: 'namespaces', namespace: '' }],
    ['GET', '/api/v1/namespaces/a', { verb: 'get', resource: 'namespaces', name: 'a', namespace: 'a' }],
    ['PUT', '/api/v1/namespaces/a/finalize', { verb: 'update', resource: 'namespaces', subresource: 'finalize' }],
    ['GET', '/api/v1/namespaces/a/pods', { verb: 'list', resource: 'pods', namespace: 'a' }],
    ['POST', '/api/v1/namespaces/a/pods', { verb: 'create', resource: 'pods', name: '' }],
    ['DELETE', '/api/v1/namespaces/a/pods', { verb: 'deletecollection', resource: 'pods' }],
    ['DELETE', '/api/v1/namespaces/a/pods/b', { verb: 'delete', resource: 'pods', name: 'b' }],
    ['PATCH', '/api/v1/namespaces/a/pods/b/status', { verb: 'patch', name: 'b', subresource: 'status' }],
    ['GET', '/apis/apps/v1/namespaces/a/deployments/b/scale', { group: 'apps', version: 'v1', subresource: 'scale' }],
    ['GET', '/api/v1/nodes/n/proxy/a/b', { resource: 'nodes', subresource: 'proxy', rest: 'a/b' }],
    ['GET', '/api/v1/namespaces/a%20b/pods', { namespace: 'a b' }],
  ])('reads %s %s', (method, path, expected) => {
    expect(requestInfo(method, path, '')).toMatchObject({ isResource: true, ...expected });
  });

  it('tells a watch by its query', () => {
    expect(requestInfo('GET', '/api/v1/pods', 'watch=1')?.verb).toBe('watch');
  });

  it.each([
    ['/api/v1/watch/pods', { resource: 'pods', namespace: '', name: '', named: false }],
    ['/api/v1/watch/namespaces/a/pods', { resource: 'pods', namespace: 'a', name: '', named: false }],
    ['/api/v1/watch/namespaces/a/pods/b', { resource: 'pods', namespace: 'a', name: 'b', named: false }],
    ['/api/v1/watch/namespaces/a', { resource: 'namespaces', namespace: 'a', name: 'a', named: false }],
    ['/apis/apps/v1/watch/deployments', { group: 'apps', resource: 'deployments', named: false }],
  ])('tells a watch by the path %s', (path, expected) => {
    expect(requestInfo('GET', path, '')).toMatchObject({ isResource: true, verb: 'watch', ...expected });
    expect(requestInfo('POST', path, '')?.verb).toBe('');
  });

  it('takes the name that a field selector asks for, since a role may allow just that', () => {
    const named = requestInfo('GET', '/api/v1/pods', 'fieldSelector=metadata.name%3Dweb,spec.nodeName%3Da');
    expect(named).toMatchObject({ verb: 'list', name: 'web', named: false });
    expect(requestInfo('GET', '/api/v1/pods', 'fieldSelector=metadata.name!%3Dweb')?.name).toBe('');
  });

  it.each(['/', '/api', '/api/v1', '/apis/apps', '/apis/apps/v1', '/healthz', '/version'])(
    'finds no resource in %s',
    (path) => {
      expect(requestInfo('GET', path, '')).toMatchObject({ isResource: false, verb: 'get', path });
    },
  );

  it('refuses a path that cannot be decoded', () => {
    expect(requestInfo('GET', '/api/v1/namespaces/%zz', '')).toBeUndefined();
  });
});
