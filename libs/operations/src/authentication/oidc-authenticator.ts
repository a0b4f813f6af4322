import { createRemoteJWKSet, customFetch, errors, type JWTPayload, jwtVerify, type RemoteJWKSet } from 'jose';
import type { User } from '../types.ts';
import type { UserAuthenticator } from './for-api-server.ts';
import { type HttpsClient, openHttpsClient } from './https-client.ts';
import { issuerOf } from './jwt-issuer.ts';
import { type OidcClaims, oidcUser } from './oidc-claims.ts';
import { PassingTokens } from './passing-tokens.ts';
import { TokenRefused } from './token-authenticator.ts';

export interface OidcConfig extends OidcClaims {
  /** The provider, as its tokens name it. https, without a query. */
  issuerUrl: string;
  /** Whom its tokens must be for. */
  clientId: string;
  /** "RS256". */
  signingAlgorithms: readonly string[];
  /** PEM: what the provider's certificate must come from; the authorities that Node.js knows when null. */
  ca: Buffer | null;
}

/** A token that was found to hold is not looked at again for so long. As kube-apiserver. */
const KNOWN_MS_MAX = 10_000;
/** A provider that was not to be reached is left alone for so long. */
const RETRY_MS = 10_000;
/** Keys are asked for anew after this time, and for an unknown key id at most this often. */
const KEYS_MS_MAX = 600_000;
const KEYS_COOLDOWN_MS = 1_000;
/** How far in the future the beginning of a token may be. As github.com/coreos/go-oidc. */
const BEGIN_LEEWAY_SECONDS = 300;

const refused = (why: string): TokenRefused => new TokenRefused(`oidc: ${why}`);
const quoted = (value: string): string => JSON.stringify(value);

interface Provider {
  readonly keys: RemoteJWKSet;
}

/**
 * Takes the ID tokens of one OpenID Connect provider. Its document is read on first use, and its keys are kept for a
 * while. https://kubernetes.io/docs/reference/access-authn-authz/authentication/#openid-connect-tokens
 */
export class OidcAuthenticator implements UserAuthenticator {
  private readonly config: OidcConfig;
  private readonly now: () => number;
  private readonly https: HttpsClient;
  private readonly known: PassingTokens<User>;
  private provider: Promise<Provider> | null = null;
  private failedAtMs = Number.NEGATIVE_INFINITY;

  constructor(config: OidcConfig, now: () => number) {
    this.config = config;
    this.now = now;
    this.https = openHttpsClient(config.ca ? { ca: config.ca } : {});
    this.known = new PassingTokens(now);
  }

  remembered(token: string): User | undefined {
    return this.known.get(token);
  }

  async authenticate(token: string): Promise<User | undefined> {
    if (issuerOf(token) !== this.config.issuerUrl) return undefined;
    const { keys } = await this.open();
    const payload = await this.verify(token, keys);
    const user = oidcUser(payload, this.config);
    this.known.set(token, user, Math.min(this.now() + KNOWN_MS_MAX, (payload.exp ?? 0) * 1_000));
    return user;
  }

  close(): void {
    this.https.close();
  }

  private async verify(token: string, keys: RemoteJWKSet): Promise<JWTPayload> {
    try {
      const payload = await this.verifyWith(token, keys).catch((error: unknown) => {
        if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
        return this.verifyWithAny(token, error);
      });
      // Its end is taken at its word, other than its beginning.
      if ((payload.exp ?? 0) * 1_000 <= this.now()) throw expired(payload);
      return payload;
    } catch (error) {
      throw error instanceof TokenRefused ? error : refused(`verify token: ${whyRefused(error, this.config.clientId)}`);
    }
  }

  private async verifyWith(token: string, key: RemoteJWKSet | Awaited<ReturnType<RemoteJWKSet>>): Promise<JWTPayload> {
    const { issuerUrl, clientId, signingAlgorithms } = this.config;
    const expected = {
      issuer: issuerUrl,
      audience: clientId,
      algorithms: [...signingAlgorithms],
      clockTolerance: BEGIN_LEEWAY_SECONDS,
      currentDate: new Date(this.now()),
    };
    // The two forms of `jwtVerify` take a key, and a way to one.
    const { payload } = await (typeof key === 'function'
      ? jwtVerify(token, key, expected)
      : jwtVerify(token, key, expected));
    return payload;
  }

  /** A token that does not say which key it is of may be of any that fits. */
  private async verifyWithAny(token: string, keys: errors.JWKSMultipleMatchingKeys): Promise<JWTPayload> {
    for await (const key of keys) {
      try {
        return await this.verifyWith(token, key);
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }

  /** One attempt at a time, and after one that failed none for a while. */
  private open(): Promise<Provider> {
    if (this.provider === null) {
      if (this.now() < this.failedAtMs + RETRY_MS) throw refused('authenticator not initialized');
      this.provider = this.discover().catch(() => {
        this.provider = null;
        this.failedAtMs = this.now();
        throw refused('authenticator not initialized');
      });
    }
    return this.provider;
  }

  private async discover(): Promise<Provider> {
    const { issuerUrl } = this.config;
    const { status, body } = await this.https.request('GET', `${issuerUrl}/.well-known/openid-configuration`);
    if (status !== 200) throw new Error(`the provider answered ${status}`);
    const document = JSON.parse(body) as { issuer?: unknown; jwks_uri?: unknown };
    const uri = typeof document.jwks_uri === 'string' ? new URL(document.jwks_uri) : null;
    if (document.issuer !== issuerUrl || uri?.protocol !== 'https:') throw new Error('not the document of this issuer');
    const keys = createRemoteJWKSet(uri, {
      cacheMaxAge: KEYS_MS_MAX,
      cooldownDuration: KEYS_COOLDOWN_MS,
      [customFetch]: async (url, { headers, signal }) => {
        const answer = await this.https.request('GET', url, { headers: Object.fromEntries(headers), signal });
        return new Response(answer.body, { status: answer.status });
      },
    });
    return { keys };
  }
}

const expired = ({ exp = 0 }: JWTPayload): TokenRefused =>
  refused(`verify token: oidc: token is expired (Token Expiry: ${new Date(exp * 1_000).toISOString()})`);

/** In the words of go-oidc, where it has some. */
function whyRefused(error: unknown, clientId: string): string {
  if (error instanceof errors.JWTExpired) {
    return `oidc: token is expired (Token Expiry: ${new Date((error.payload.exp ?? 0) * 1_000).toISOString()})`;
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim, payload } = error;
    if (claim === 'nbf') return 'oidc: current time is before the nbf (not before) time';
    const audiences = [payload.aud ?? []].flat().map(quoted).join(' ');
    if (claim === 'aud') return `oidc: expected audience ${quoted(clientId)} got [${audiences}]`;
    return `oidc: ${claim} claim does not hold`;
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return 'oidc: id token signed with unsupported algorithm';
  if (error instanceof errors.JWKSTimeout) return 'failed to verify signature: fetching keys took too long';
  if (error instanceof errors.JOSEError) return 'failed to verify signature: failed to verify id token signature';
  return 'failed to verify signature: fetching keys failed';
}
