import type { PeerCertificate } from 'node:tls';
import { expect, it } from 'vitest';
import { certificateUser } from './certificate-user.ts';

it.each<[object, string | undefined, string[]]>([
  [{ CN: 'ann' }, 'ann', []],
  [{ CN: 'ann', O: 'devs' }, 'ann', ['devs']],
  [{ CN: 'ann', O: ['devs', 'ops', 'devs'] }, 'ann', ['devs', 'ops']],
  [{ CN: ['ann', 'bob'] }, 'bob', []],
  [{ O: 'devs' }, undefined, []],
  [{ CN: '' }, undefined, []],
])('%o is %s of %o', (subject, name, groups) => {
  const user = certificateUser({ subject } as PeerCertificate);
  expect(user?.name).toBe(name);
  if (user) expect(user.groups).toEqual([...groups, 'system:authenticated']);
});

it('who shows no certificate is nobody', () => {
  expect(certificateUser({} as PeerCertificate)).toBeUndefined();
});
