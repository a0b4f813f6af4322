// The X.509 library resolves its own parts by metadata and asks for this first.
import 'reflect-metadata';
import { randomBytes, type webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { signingKey } from './signing-key.ts';

/** A certificate and its private key (PKCS #8), both PEM. */
export interface KeyPair {
  cert: string;
  key: string;
}

/** What a certificate says of its holder. As in Kubernetes, the common name is the user and organizations are groups. */
export interface Subject {
  commonName: string;
  organizations?: readonly string[];
}

export interface LeafRequest extends Subject {
  usages: readonly ('client' | 'server')[];
  /** DNS names and IP addresses that a server is reached at. */
  hosts?: readonly string[];
}

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3_650;
/** As kubeadm issues them. */
const LEAF_DAYS = 365;
/** Machines whose clocks differ a little still accept a fresh certificate. */
const BACKDATED_MS = 300_000;

const KEY = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;
const PURPOSE = { client: ExtendedKeyUsage.clientAuth, server: ExtendedKeyUsage.serverAuth } as const;

const generateKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  crypto.subtle.generateKey(KEY, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;

async function privateKeyPem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  return `${PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')}\n`;
}

/** RFC 4514 special characters may not end a name early; names like `system:node:a` need no escape. */
const nameOf = ({ commonName, organizations = [] }: Subject) => [
  ...organizations.map((organization) => ({ O: [organization] })),
  { CN: [commonName] },
];

const validity = (days: number) => {
  const from = Date.now() - BACKDATED_MS;
  return { notBefore: new Date(from), notAfter: new Date(from + days * DAY_MS) };
};

/** Sixteen random octets, positive and without leading zeros (RFC 5280, 4.1.2.2). */
export const serialNumber = (): string => {
  const octets = randomBytes(16);
  octets[0] = (octets[0]! & 0x3f) | 0x40;
  return octets.toString('hex');
};

/** A self-signed certificate authority, valid for ten years. */
export async function createAuthority(commonName: string): Promise<KeyPair> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: nameOf({ commonName }),
    ...validity(AUTHORITY_DAYS),
    keys,
    signingAlgorithm: SIGNATURE,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key: await privateKeyPem(keys) };
}

/** A certificate for one holder, signed by `authority`, valid for a year. */
export async function issueCertificate(authority: KeyPair, request: LeafRequest): Promise<KeyPair> {
  const keys = await generateKeys();
  const issuer = new X509Certificate(authority.cert);
  const hosts = (request.hosts ?? []).map((host) => ({
    type: isIP(host) ? ('ip' as const) : ('dns' as const),
    value: host,
  }));
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: nameOf(request),
    issuer: issuer.subjectName,
    ...validity(LEAF_DAYS),
    publicKey: keys.publicKey,
    ...signingKey(authority.key),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension(request.usages.map((usage) => PURPOSE[usage])),
      await AuthorityKeyIdentifierExtension.create(issuer),
      ...(hosts.length > 0 ? [new SubjectAlternativeNameExtension(hosts)] : []),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key: await privateKeyPem(keys) };
}
