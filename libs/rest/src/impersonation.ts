import type { IncomingMessage } from 'node:http';
import { badRequest } from '@periplus/apimachinery';
import type { Attributes, Operations, User } from '@periplus/operations';

const IMPERSONATE = 'impersonate-';
const EXTRA = 'impersonate-extra-';
const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;
const AUTHENTICATION = 'authentication.k8s.io';
const UNAUTHENTICATED = 'system:unauthenticated';

/**
 * Whom the user acts as: himself unless the request says otherwise, and then only where he may impersonate each of
 * the user, groups, uid and extras that it names. Throws Forbidden.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
 */
export function actingUser(request: IncomingMessage, user: User, authorize: Operations['authorize']): User {
  const { headers } = request;
  const name = headers['impersonate-user'];
  if (typeof name !== 'string' || name === '') {
    for (const header in headers) {
      if (header.startsWith(IMPERSONATE)) throw badRequest(`requested ${header} without impersonating a user`);
    }
    return user;
  }
  const asked = request.headersDistinct;
  const groups = asked['impersonate-group'] ?? [];
  const uid = asked['impersonate-uid']?.[0] ?? '';
  const extra = extraOf(asked);
  const account = SERVICE_ACCOUNT.exec(name);
  authorize(user, account ? impersonate('serviceaccounts', account[2]!, account[1]!) : impersonate('users', name));
  for (const group of groups) authorize(user, impersonate('groups', group));
  if (uid) authorize(user, { ...impersonate('uids', uid), group: AUTHENTICATION, version: 'v1' });
  for (const [key, values] of Object.entries(extra)) {
    for (const value of values) {
      const of = impersonate('userextras', value);
      authorize(user, { ...of, group: AUTHENTICATION, version: 'v1', subresource: key });
    }
  }
  return { name, uid, groups: withImplied(name, account?.[1], groups), extra };
}

/** With what a user of this name would have been given at login, unless the request says which of the two groups it is. */
function withImplied(name: string, namespace: string | undefined, groups: readonly string[]): string[] {
  if (name === 'system:anonymous') return [...new Set([...groups, UNAUTHENTICATED])];
  const own = namespace && groups.length === 0 ? ['system:serviceaccounts', `system:serviceaccounts:${namespace}`] : [];
  const implied = groups.includes(UNAUTHENTICATED) ? [] : ['system:authenticated'];
  return [...new Set([...groups, ...own, ...implied])];
}

const impersonate = (resource: string, name: string, namespace = ''): Attributes => ({
  isResource: true,
  verb: 'impersonate',
  group: '',
  version: 'v1',
  resource,
  subresource: '',
  namespace,
  name,
  path: '',
});

function extraOf(headers: NodeJS.Dict<string[]>): Record<string, readonly string[]> {
  const extra: Record<string, readonly string[]> = {};
  for (const [header, values] of Object.entries(headers)) {
    if (header.startsWith(EXTRA) && values) extra[decodeKey(header.slice(EXTRA.length))] = values;
  }
  return extra;
}

/** Keys may hold characters that headers may not, percent-encoded. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
