import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { decodeJwt, errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { TokenRefused } from './token-authenticator.ts';

/** What a token is limited to: it ends with this object. */
export interface BoundObject {
  readonly name: string;
  readonly uid: string;
}

/** What a service account token says. */
export interface TokenClaims {
  readonly id: string;
  readonly audiences: readonly string[];
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly namespace: string;
  readonly serviceAccount: BoundObject;
  readonly pod: BoundObject | null;
  readonly secret: BoundObject | null;
  readonly node: BoundObject | null;
}

export interface TokenConfig {
  /** PEM, RSA or EC P-256. Signs. */
  signingKey: string | Buffer;
  /** PEM, public or private. Tokens of these are accepted besides those of `signingKey`. */
  verificationKeys?: readonly (string | Buffer)[];
  issuer: string;
  /** What tokens are for that ask for nothing else, and one of which the api-server demands. */
  audiences: readonly string[];
}

const KUBERNETES = 'kubernetes.io';
const ALGORITHMS = ['RS256', 'ES256'];
/** Clocks differ: as long a token holds beyond its end, and before its beginning. As kube-apiserver. */
export const CLOCK_LEEWAY_MS = 60_000;

const algorithmOf = (key: KeyObject): string => {
  if (key.asymmetricKeyType === 'rsa') return 'RS256';
  if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return 'ES256';
  throw new Error('service account keys must be RSA or EC P-256');
};

/** As Kubernetes names keys: the digest of the public key. */
const keyIdOf = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url');

const isBound = (value: unknown): value is BoundObject =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as BoundObject).name === 'string' &&
  typeof (value as BoundObject).uid === 'string';

/** Who says to have made a token; undefined for what is no JWT. Nothing of it is verified. */
function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

const listed = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;

/** kube-apiserver's words for what `jose` found. */
function whyRefused(error: unknown, token: string, audiences: readonly string[]): string {
  if (error instanceof TokenRefused) return error.message;
  if (error instanceof errors.JWTExpired) return 'service account token has expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'nbf') return 'service account token is not valid yet';
    if (error.claim === 'aud') {
      const found = [decodeJwt(token).aud ?? []].flat();
      return `token audiences ${listed(found)} is invalid for the target audiences ${listed(audiences)}`;
    }
  }
  return 'invalid signature';
}

/** Undefined when `payload` is signed but not that of a service account. */
function claimsOf(payload: JWTPayload): TokenClaims | undefined {
  const own = payload[KUBERNETES];
  if (typeof own !== 'object' || own === null) return undefined;
  const { namespace, serviceaccount, pod, secret, node } = own as Record<string, unknown>;
  if (typeof namespace !== 'string' || !isBound(serviceaccount) || payload.exp === undefined) return undefined;
  if (payload.sub !== `system:serviceaccount:${namespace}:${serviceaccount.name}`) return undefined;
  return {
    id: payload.jti ?? '',
    audiences: typeof payload.aud === 'string' ? [payload.aud] : (payload.aud ?? []),
    issuedAtMs: (payload.iat ?? 0) * 1000,
    expiresAtMs: payload.exp * 1000,
    namespace,
    serviceAccount: serviceaccount,
    pod: isBound(pod) ? pod : null,
    secret: isBound(secret) ? secret : null,
    node: isBound(node) ? node : null,
  };
}

/**
 * Makes and checks the signatures of service account tokens. Whether the account and the object that a token is
 * bound to still exist is for the authenticator to say.
 * https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
 */
export class ServiceAccountTokens {
  readonly issuer: string;
  readonly audiences: readonly string[];
  private readonly signingKey: KeyObject;
  private readonly keyId: string;
  private readonly verificationKeys = new Map<string, KeyObject>();

  constructor(config: TokenConfig) {
    this.issuer = config.issuer;
    this.audiences = config.audiences;
    this.signingKey = createPrivateKey(config.signingKey);
    const own = createPublicKey(this.signingKey);
    this.keyId = keyIdOf(own);
    const others = (config.verificationKeys ?? []).map((pem) => createPublicKey(pem));
    for (const key of [own, ...others]) {
      algorithmOf(key);
      this.verificationKeys.set(keyIdOf(key), key);
    }
  }

  sign(claims: TokenClaims): Promise<string> {
    const { namespace, serviceAccount, pod, secret, node } = claims;
    const seconds = (ms: number): number => Math.floor(ms / 1000);
    const own = {
      namespace,
      ...(node && { node }),
      ...(pod && { pod }),
      ...(secret && { secret }),
      serviceaccount: serviceAccount,
    };
    return new SignJWT({ [KUBERNETES]: own })
      .setProtectedHeader({ alg: algorithmOf(this.signingKey), kid: this.keyId })
      .setAudience([...claims.audiences])
      .setIssuer(this.issuer)
      .setSubject(`system:serviceaccount:${namespace}:${serviceAccount.name}`)
      .setIssuedAt(seconds(claims.issuedAtMs))
      .setNotBefore(seconds(claims.issuedAtMs))
      .setExpirationTime(seconds(claims.expiresAtMs))
      .setJti(claims.id)
      .sign(this.signingKey);
  }

  /**
   * The claims of a token that one of our keys signed for one of `audiences` and that is in force. Undefined for what
   * is no token of this issuer. Rejects with TokenRefused.
   */
  async verify(token: string, nowMs: number, audiences: readonly string[]): Promise<TokenClaims | undefined> {
    if (issuerOf(token) !== this.issuer) return undefined;
    const { payload } = await jwtVerify(token, ({ kid }) => this.keyFor(kid), {
      issuer: this.issuer,
      audience: [...audiences],
      algorithms: ALGORITHMS,
      clockTolerance: CLOCK_LEEWAY_MS / 1_000,
      currentDate: new Date(nowMs),
    }).catch((error: unknown) => {
      throw new TokenRefused(whyRefused(error, token, audiences));
    });
    const claims = claimsOf(payload);
    if (!claims) throw new TokenRefused('service account token claims could not be validated');
    return claims;
  }

  private keyFor(keyId: string | undefined): KeyObject {
    const key = this.verificationKeys.get(keyId ?? this.keyId);
    if (!key) throw new TokenRefused('invalid signature, no keys found');
    return key;
  }
}
