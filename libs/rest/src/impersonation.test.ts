import type { IncomingMessage } from 'node:http';
import { forbidden } from '@periplus/apimachinery';
import type { Attributes, User } from '@periplus/operations';
import { describe, expect, it } from 'vitest';
import { actingUser } from './impersonation.ts';

const admin: User = { name: 'admin', uid: '', groups: ['system:masters'], extra: {} };

const request = (headers: Record<string, string | string[]>) =>
  ({
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')])),
    headersDistinct: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat()])),
  }) as unknown as IncomingMessage;

const anything = () => undefined;

describe('actingUser', () => {
  it('leaves a user who asks for nothing as he is', () => {
    expect(actingUser(request({}), admin, anything)).toBe(admin);
  });

  it('gives the groups that were asked for and what a login would have given', () => {
    const asked = request({
      'impersonate-user': 'jane',
      'impersonate-group': ['a', 'b'],
      'impersonate-extra-x%2fy': 'z',
    });
    expect(actingUser(asked, admin, anything)).toEqual({
      name: 'jane',
      uid: '',
      groups: ['a', 'b', 'system:authenticated'],
      extra: { 'x/y': ['z'] },
    });
  });

  it('gives a service account its groups', () => {
    const asked = request({ 'impersonate-user': 'system:serviceaccount:ns:bot' });
    expect(actingUser(asked, admin, anything).groups).toEqual([
      'system:serviceaccounts',
      'system:serviceaccounts:ns',
      'system:authenticated',
    ]);
  });

  it('needs permission for each part', () => {
    const seen: Partial<Attributes>[] = [];
    const refuseGroups = (_user: User, { verb, resource, name, namespace }: Attributes) => {
      seen.push({ verb, resource, name, namespace });
      if (resource === 'groups') throw forbidden({ group: '', resource }, name, 'no');
    };
    const asked = request({
      'impersonate-user': 'system:serviceaccount:ns:bot',
      'impersonate-group': 'system:masters',
    });
    expect(() => actingUser(asked, admin, refuseGroups)).toThrow('groups "system:masters" is forbidden: no');
    expect(seen[0]).toEqual({ verb: 'impersonate', resource: 'serviceaccounts', name: 'bot', namespace: 'ns' });
  });

  it.each(['impersonate-group', 'impersonate-uid', 'impersonate-extra-scope'])(
    'refuses %s without a user, which would be acted on as himself',
    (header) => {
      expect(() => actingUser(request({ [header]: 'a' }), admin, anything)).toThrow('without impersonating a user');
    },
  );

  it('takes nobody for authenticated who is said not to be', () => {
    const asked = request({ 'impersonate-user': 'jane', 'impersonate-group': 'system:unauthenticated' });
    expect(actingUser(asked, admin, anything).groups).toEqual(['system:unauthenticated']);
    expect(actingUser(request({ 'impersonate-user': 'system:anonymous' }), admin, anything).groups).toEqual([
      'system:unauthenticated',
    ]);
  });
});
