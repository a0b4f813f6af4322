import { errors, type JWK, type JWTPayload } from 'jose';
import { issuerOf } from './jwt-issuer.ts';
import { TokenRefused } from './token-authenticator.ts';
import { TokenKeys } from './token-keys.ts';

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
  /** From when on its holder should have had a newer one; null when that is its end. */
  readonly warnAfterMs: number | null;
  readonly namespace: string;
  readonly serviceAccount: BoundObject;
  readonly pod: BoundObject | null;
  readonly secret: BoundObject | null;
  readonly node: BoundObject | null;
}

/** What a token says that stands in a Secret and has no end. */
export interface LegacyClaims {
  readonly namespace: string;
  readonly serviceAccount: BoundObject;
  readonly secretName: string;
}

export interface TokenConfig {
  /** PEM, RSA or EC. Signs. */
  signingKey: string | Buffer;
  /** PEM, public or private. Tokens of these are accepted besides those of `signingKey`. */
  verificationKeys?: readonly (string | Buffer)[];
  issuer: string;
  /** What tokens are for that ask for nothing else, and one of which the api-server demands. */
  audiences: readonly string[];
}

const KUBERNETES = 'kubernetes.io';
const LEGACY_ISSUER = 'kubernetes/serviceaccount';
const LEGACY = 'kubernetes.io/serviceaccount';

const isBound = (value: unknown): value is BoundObject =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as BoundObject).name === 'string' &&
  typeof (value as BoundObject).uid === 'string';

const accountUser = (namespace: string, name: string): string => `system:serviceaccount:${namespace}:${name}`;
const seconds = (ms: number): number => Math.floor(ms / 1_000);
const listed = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;

/** Undefined when `payload` is signed but not that of a service account. */
function claimsOf(payload: JWTPayload): TokenClaims | undefined {
  const own = payload[KUBERNETES];
  if (typeof own !== 'object' || own === null) return undefined;
  const { namespace, serviceaccount, pod, secret, node, warnafter } = own as Record<string, unknown>;
  if (typeof namespace !== 'string' || !isBound(serviceaccount) || payload.exp === undefined) return undefined;
  if (payload.sub !== accountUser(namespace, serviceaccount.name)) return undefined;
  return {
    id: payload.jti ?? '',
    audiences: [payload.aud ?? []].flat(),
    issuedAtMs: (payload.iat ?? 0) * 1_000,
    expiresAtMs: payload.exp * 1_000,
    warnAfterMs: typeof warnafter === 'number' ? warnafter * 1_000 : null,
    namespace,
    serviceAccount: serviceaccount,
    pod: isBound(pod) ? pod : null,
    secret: isBound(secret) ? secret : null,
    node: isBound(node) ? node : null,
  };
}

/**
 * Makes and checks the signatures of service account tokens. Whether the account and the object that a token is
 * bound to still exist is for the authenticators to say.
 * https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
 */
export class ServiceAccountTokens {
  readonly issuer: string;
  readonly audiences: readonly string[];
  private readonly keys: TokenKeys;

  constructor(config: TokenConfig) {
    this.issuer = config.issuer;
    this.audiences = config.audiences;
    this.keys = new TokenKeys(config.signingKey, config.verificationKeys ?? []);
  }

  sign(claims: TokenClaims): Promise<string> {
    const { namespace, serviceAccount, pod, secret, node, issuedAtMs, expiresAtMs, warnAfterMs } = claims;
    const own = {
      namespace,
      ...(node && { node }),
      ...(pod && { pod }),
      ...(secret && { secret }),
      serviceaccount: serviceAccount,
      ...(warnAfterMs !== null && { warnafter: seconds(warnAfterMs) }),
    };
    return this.keys.sign({
      aud: [...claims.audiences],
      exp: seconds(expiresAtMs),
      iat: seconds(issuedAtMs),
      iss: this.issuer,
      jti: claims.id,
      [KUBERNETES]: own,
      nbf: seconds(issuedAtMs),
      sub: accountUser(namespace, serviceAccount.name),
    });
  }

  /**
   * The claims of a token that one of our keys signed for one of `audiences` and that is in force. Undefined for what
   * is no token of this issuer. Rejects with TokenRefused.
   */
  async verify(token: string, nowMs: number, audiences: readonly string[]): Promise<TokenClaims | undefined> {
    if (issuerOf(token) !== this.issuer) return undefined;
    const expected = { issuer: this.issuer, audience: [...audiences] };
    const payload = await this.keys.verify(token, nowMs, expected).catch((error: unknown) => {
      if (!(error instanceof errors.JWTClaimValidationFailed)) throw error;
      const found = [error.payload.aud ?? []].flat();
      const why = `token audiences ${listed(found)} is invalid for the target audiences ${listed(audiences)}`;
      throw new TokenRefused(why);
    });
    const claims = claimsOf(payload);
    if (!claims) throw new TokenRefused('service account token claims could not be validated');
    return claims;
  }

  signLegacy({ namespace, serviceAccount, secretName }: LegacyClaims): Promise<string> {
    return this.keys.sign({
      iss: LEGACY_ISSUER,
      [`${LEGACY}/namespace`]: namespace,
      [`${LEGACY}/secret.name`]: secretName,
      [`${LEGACY}/service-account.name`]: serviceAccount.name,
      [`${LEGACY}/service-account.uid`]: serviceAccount.uid,
      sub: accountUser(namespace, serviceAccount.name),
    });
  }

  /** As `verify`, for tokens that stand in Secrets. */
  async verifyLegacy(token: string, nowMs: number): Promise<LegacyClaims | undefined> {
    if (issuerOf(token) !== LEGACY_ISSUER) return undefined;
    const payload = await this.keys.verify(token, nowMs, {});
    const claim = (name: string): string => {
      const value = payload[`${LEGACY}/${name}`];
      if (typeof value !== 'string' || value === '') throw new TokenRefused(`${name} claim is missing`);
      return value;
    };
    const [namespace, secretName] = [claim('namespace'), claim('secret.name')];
    const serviceAccount = { name: claim('service-account.name'), uid: claim('service-account.uid') };
    if (payload.sub !== accountUser(namespace, serviceAccount.name)) throw new TokenRefused('sub claim is invalid');
    return { namespace, secretName, serviceAccount };
  }

  /** For whoever checks tokens by himself. */
  publicKeys(): JWK[] {
    return this.keys.public();
  }
}
