import type { PeerCertificate } from 'node:tls';
import type { User } from '../types.ts';

export const AUTHENTICATED = 'system:authenticated';
const NO_EXTRA: User['extra'] = {};

/** Everybody who shows nothing. https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-requests */
export const ANONYMOUS: User = {
  name: 'system:anonymous',
  uid: '',
  groups: ['system:unauthenticated'],
  extra: NO_EXTRA,
};

const listOf = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

/**
 * The user that a verified client certificate names: CN is the name (the last one, where there are more), each O a group. Undefined without a CN.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#x509-client-certificates
 */
export function certificateUser(certificate: PeerCertificate): User | undefined {
  // A connection without a certificate has an empty object here.
  const subject: { CN?: string | string[]; O?: string | string[] } | undefined = certificate.subject;
  const name = listOf(subject?.CN).at(-1);
  if (!name) return undefined;
  const groups = [...new Set([...listOf(subject?.O), AUTHENTICATED])];
  return { name, uid: '', groups, extra: credentialId(certificate) };
}

/** Tells which certificate it was. https://kubernetes.io/docs/reference/access-authn-authz/authentication/#credential-id */
function credentialId({ fingerprint256 }: PeerCertificate): User['extra'] {
  if (!fingerprint256) return NO_EXTRA;
  const id = `X509SHA256=${fingerprint256.replaceAll(':', '').toLowerCase()}`;
  return { 'authentication.kubernetes.io/credential-id': [id] };
}
