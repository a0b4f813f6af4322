import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  type GeneralNameType,
  KeyUsagesExtension,
  Name,
  type Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { type KeyPair, serialNumber } from './certificate.ts';
import { alternativeNames, openCertificateRequest } from './certificate-request.ts';
import { keyUsages } from './key-usages.ts';
import { signingKey } from './signing-key.ts';

/** What a certificate says beside what its request does. */
export interface SigningTerms {
  /** Milliseconds since the epoch; a certificate knows whole seconds. */
  nowMs: number;
  notBeforeMs: number;
  /** Cut to the end of the authority's own certificate. */
  notAfterMs: number;
  /** As CertificateSigningRequests name them: "client auth". */
  usages: readonly string[];
}

/** Sorts of names that are taken over; others, a directory name for example, are left out. */
const NAMES: readonly GeneralNameType[] = ['dns', 'email', 'ip', 'url'];

/** Who is named more than once goes by the last name: the others are left out, so that nobody takes him for one of them. */
function subjectOf({ subjectName }: Pkcs10CertificateRequest): Name {
  const names = subjectName.getField('CN');
  if (names.length < 2) return subjectName;
  const others = subjectName.toJSON().map(({ CN: _, ...more }) => more);
  return new Name([...others.filter((one) => Object.keys(one).length > 0), { CN: [names.at(-1)!] }]);
}

async function authorityIdentifier(issuer: X509Certificate): Promise<AuthorityKeyIdentifierExtension> {
  const own = issuer.getExtension(SubjectKeyIdentifierExtension);
  return own
    ? new AuthorityKeyIdentifierExtension(own.keyId, false)
    : await AuthorityKeyIdentifierExtension.create(issuer);
}

/**
 * A certificate (PEM) for who holds the key of a PEM request: subject and names are the request's, its extensions are
 * not. Rejects with an Error when the request is not sound, or the authority has expired.
 */
export async function signRequest(authority: KeyPair, pem: string, terms: SigningTerms): Promise<string> {
  const request = await openCertificateRequest(pem);
  const issuer = new X509Certificate(authority.cert);
  const { notAfter } = issuer;
  const expired = `NotAfter=${notAfter.toISOString()}`;
  if (terms.notBeforeMs >= notAfter.getTime()) throw new Error(`the signer has expired: ${expired}`);
  if (terms.nowMs >= notAfter.getTime()) {
    throw new Error(`refusing to sign a certificate that expired in the past: ${expired}`);
  }
  const { flags, purposes } = keyUsages(terms.usages);
  const names = alternativeNames(request).filter(({ type }) => NAMES.includes(type));
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: subjectOf(request),
    issuer: issuer.subjectName,
    notBefore: new Date(terms.notBeforeMs),
    notAfter: new Date(Math.min(terms.notAfterMs, notAfter.getTime())),
    publicKey: request.publicKey,
    ...signingKey(authority.key),
    extensions: [
      ...(flags ? [new KeyUsagesExtension(flags, true)] : []),
      ...(purposes.length > 0 ? [new ExtendedKeyUsageExtension(purposes)] : []),
      new BasicConstraintsExtension(false, undefined, true),
      await authorityIdentifier(issuer),
      // Whoever has no subject is known by these alone, so nobody may overlook them (RFC 5280, 4.2.1.6).
      ...(names.length > 0 ? [new SubjectAlternativeNameExtension(names, request.subject === '')] : []),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}
