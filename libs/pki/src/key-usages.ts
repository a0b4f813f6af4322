import { ExtendedKeyUsage, KeyUsageFlags } from '@peculiar/x509';

/** What Kubernetes calls the uses of a key, RFC 5280 4.2.1.3. */
const FLAGS: Readonly<Record<string, KeyUsageFlags>> = {
  signing: KeyUsageFlags.digitalSignature,
  'digital signature': KeyUsageFlags.digitalSignature,
  'content commitment': KeyUsageFlags.nonRepudiation,
  'key encipherment': KeyUsageFlags.keyEncipherment,
  'key agreement': KeyUsageFlags.keyAgreement,
  'data encipherment': KeyUsageFlags.dataEncipherment,
  'cert sign': KeyUsageFlags.keyCertSign,
  'crl sign': KeyUsageFlags.cRLSign,
  'encipher only': KeyUsageFlags.encipherOnly,
  'decipher only': KeyUsageFlags.decipherOnly,
};

/** And the purposes, RFC 5280 4.2.1.12, in the order that they have in a certificate. */
const PURPOSES: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0',
  'server auth': ExtendedKeyUsage.serverAuth,
  'client auth': ExtendedKeyUsage.clientAuth,
  'code signing': ExtendedKeyUsage.codeSigning,
  'email protection': ExtendedKeyUsage.emailProtection,
  's/mime': ExtendedKeyUsage.emailProtection,
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: ExtendedKeyUsage.timeStamping,
  'ocsp signing': ExtendedKeyUsage.ocspSigning,
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
};

/** Usages as a CertificateSigningRequest names them, as a certificate does. Throws Error for one that nobody knows. */
export function keyUsages(usages: readonly string[]): { flags: number; purposes: string[] } {
  const unknown = usages.filter((usage) => !Object.hasOwn(FLAGS, usage) && !Object.hasOwn(PURPOSES, usage));
  if (unknown.length > 0) throw new Error(`unrecognized usage values: ${JSON.stringify(unknown)}`);
  const flags = usages.reduce((sum, usage) => sum | (FLAGS[usage] ?? 0), 0);
  const wanted = Object.keys(PURPOSES).filter((usage) => usages.includes(usage));
  return { flags, purposes: [...new Set(wanted.map((usage) => PURPOSES[usage]!))] };
}
