import { createPrivateKey, type webcrypto } from 'node:crypto';

type Algorithm = webcrypto.EcKeyImportParams & { hash: string };

const CURVES: Readonly<Record<string, Algorithm>> = {
  prime256v1: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  secp384r1: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  secp521r1: { name: 'ECDSA', namedCurve: 'P-521', hash: 'SHA-512' },
};
const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };

/** The private key of an authority (PEM: PKCS #8, PKCS #1 or SEC 1), and how it signs. Throws Error for what is neither RSA nor of a NIST curve. */
export function signingKey(pem: string): {
  signingKey: webcrypto.CryptoKey;
  signingAlgorithm: { name: string; hash: string };
} {
  const key = createPrivateKey(pem);
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''];
  const algorithm = key.asymmetricKeyType === 'rsa' ? RSA : curve;
  if (!algorithm) throw new Error('the key of a certificate authority must be RSA, or of P-256, P-384 or P-521');
  return { signingKey: key.toCryptoKey(algorithm, false, ['sign']), signingAlgorithm: algorithm };
}
