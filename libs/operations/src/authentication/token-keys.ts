import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { errors, type JWK, type JWTPayload, type JWTVerifyOptions, jwtVerify, SignJWT } from 'jose';
import { TokenRefused } from './token-authenticator.ts';

/** Clocks differ: as long a token holds beyond its end, and before its beginning. As kube-apiserver. */
export const CLOCK_LEEWAY_MS = 60_000;

const CURVES: Readonly<Record<string, string>> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' };
const ALGORITHMS = ['RS256', ...Object.values(CURVES)];

const algorithmOf = ({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string => {
  const ofCurve = CURVES[asymmetricKeyDetails?.namedCurve ?? ''];
  if (asymmetricKeyType === 'rsa') return 'RS256';
  if (asymmetricKeyType === 'ec' && ofCurve) return ofCurve;
  throw new Error('service account keys must be RSA or EC P-256, P-384 or P-521');
};

/** As Kubernetes names keys: the digest of the public key. */
const keyIdOf = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url');

/** The keys that service account tokens are signed with, and those that their signatures may be of. PEM. */
export class TokenKeys {
  private readonly signing: KeyObject;
  private readonly signingId: string;
  private readonly verifying = new Map<string, KeyObject>();

  constructor(signingKey: string | Buffer, verificationKeys: readonly (string | Buffer)[]) {
    this.signing = createPrivateKey(signingKey);
    const own = createPublicKey(this.signing);
    this.signingId = keyIdOf(own);
    for (const key of [own, ...verificationKeys.map((pem) => createPublicKey(pem))]) {
      algorithmOf(key);
      this.verifying.set(keyIdOf(key), key);
    }
  }

  sign(payload: JWTPayload): Promise<string> {
    return new SignJWT(payload)
      .setProtectedHeader({ alg: algorithmOf(this.signing), kid: this.signingId })
      .sign(this.signing);
  }

  /** Rejects with TokenRefused, or with what `jose` says of an audience that is not ours. */
  async verify(token: string, nowMs: number, expected: JWTVerifyOptions): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => this.keyFor(kid), {
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_LEEWAY_MS / 1_000,
        currentDate: new Date(nowMs),
        ...expected,
      });
      return payload;
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw new TokenRefused('service account token has expired');
      if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'nbf') {
        throw new TokenRefused('service account token is not valid yet');
      }
      if (error instanceof errors.JWTClaimValidationFailed && error.claim !== 'aud') {
        throw new TokenRefused('service account token claims could not be validated');
      }
      if (error instanceof errors.JWTClaimValidationFailed || error instanceof TokenRefused) throw error;
      throw new TokenRefused('invalid signature');
    }
  }

  /** For whoever checks tokens by himself. https://www.rfc-editor.org/rfc/rfc7517 */
  public(): JWK[] {
    return Array.from(this.verifying, ([kid, key]) => ({
      use: 'sig',
      kid,
      alg: algorithmOf(key),
      ...key.export({ format: 'jwk' }),
    })) as JWK[];
  }

  private keyFor(keyId: string | undefined): KeyObject {
    const key = this.verifying.get(keyId ?? this.signingId);
    if (!key) throw new TokenRefused('invalid signature, no keys found');
    return key;
  }
}
