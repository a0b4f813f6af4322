import { setTimeout as pause } from 'node:timers/promises';
import type { TokenIdentity, User } from '../types.ts';
import { AUTHENTICATED } from './certificate-user.ts';
import { type HttpsClient, openHttpsClient, type ServerTrust } from './https-client.ts';
import { PassingTokens } from './passing-tokens.ts';
import { type TokenAuthenticator, TokenRefused } from './token-authenticator.ts';

export interface WebhookConfig {
  /** Where TokenReviews are sent. https. */
  url: string;
  trust: ServerTrust;
  /** Shown to the webhook; null when it asks for none. */
  bearerToken: string | null;
  /** How long its answers hold, refusals too. As kube-apiserver's --authentication-token-webhook-cache-ttl. */
  cacheMs: number;
}

/** A webhook that fails is asked as often, with growing pauses. As kube-apiserver. */
const ATTEMPTS_MAX = 5;
const BACKOFF_MS = 500;
const BACKOFF_FACTOR = 1.5;
/** Tokens that are being asked about; beyond that they are refused. */
const PENDING_MAX = 256;

/** A token that does not hold; null: the webhook does not know it. */
type Answer = TokenIdentity | TokenRefused | null;

const isTextList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');

interface ReviewStatus {
  authenticated?: unknown;
  error?: unknown;
  audiences?: unknown;
  user?: { username?: unknown; uid?: unknown; groups?: unknown; extra?: unknown };
}

/** Undefined for a user whom nobody could be. */
function userOf({ username, uid = '', groups = [], extra = {} }: NonNullable<ReviewStatus['user']>): User | undefined {
  if (typeof username !== 'string' || typeof uid !== 'string' || !isTextList(groups)) return undefined;
  if (typeof extra !== 'object' || extra === null || !Object.values(extra).every(isTextList)) return undefined;
  const all = [...new Set([...groups, AUTHENTICATED])];
  return { name: username, uid, groups: all, extra: extra as Record<string, string[]> };
}

/** Asks another server, by TokenReview. https://kubernetes.io/docs/reference/access-authn-authz/authentication/#webhook-token-authentication */
export class WebhookAuthenticator implements TokenAuthenticator {
  private readonly config: WebhookConfig;
  private readonly own: readonly string[];
  private readonly now: () => number;
  private readonly https: HttpsClient;
  private readonly known: PassingTokens<Answer>;
  private readonly pending = new Map<string, Promise<Answer>>();
  private readonly ending = new AbortController();

  /** `own` are the api-server's audiences, which tokens are for of whose audience the webhook says nothing. */
  constructor(config: WebhookConfig, own: readonly string[], now: () => number) {
    this.config = config;
    this.own = own;
    this.now = now;
    this.https = openHttpsClient(config.trust);
    this.known = new PassingTokens(now);
  }

  remembered(token: string): User | undefined {
    const answer = this.known.get(keyOf(token, this.own));
    return answer === null || answer instanceof TokenRefused ? undefined : answer?.user;
  }

  async authenticate(token: string, audiences: readonly string[]): Promise<TokenIdentity | undefined> {
    const key = keyOf(token, audiences);
    const answer = this.known.get(key) ?? (await this.ask(key, token, audiences));
    if (answer instanceof TokenRefused) throw answer;
    return answer ?? undefined;
  }

  close(): void {
    this.ending.abort();
    this.https.close();
  }

  /** Who asks about the same token at the same time gets the same answer. */
  private ask(key: string, token: string, audiences: readonly string[]): Promise<Answer> {
    const underWay = this.pending.get(key);
    if (underWay) return underWay;
    if (this.pending.size >= PENDING_MAX) throw new TokenRefused('too many tokens are being reviewed');
    const asking = this.review(token, audiences)
      .then((answer) => {
        this.known.set(key, answer, this.now() + this.config.cacheMs);
        return answer;
      })
      .finally(() => this.pending.delete(key));
    this.pending.set(key, asking);
    return asking;
  }

  private async review(token: string, audiences: readonly string[]): Promise<Answer> {
    const status = await this.post({ token, audiences });
    const isFor = isTextList(status.audiences) && status.audiences.length > 0 ? status.audiences : this.own;
    const shared = audiences.filter((audience) => isFor.includes(audience));
    if (status.authenticated !== true) {
      return typeof status.error === 'string' && status.error !== '' ? new TokenRefused(status.error) : null;
    }
    const user = userOf(status.user ?? {});
    return user && shared.length > 0 ? { user, audiences: shared } : null;
  }

  /** Rejects with TokenRefused, which is not remembered: the webhook may be better the next moment. */
  private async post(spec: { token: string; audiences: readonly string[] }): Promise<ReviewStatus> {
    const { url, bearerToken } = this.config;
    const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', metadata: {}, spec });
    const headers = {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      ...(bearerToken !== null && { authorization: `Bearer ${bearerToken}` }),
    };
    let pauseMs = BACKOFF_MS;
    for (let attempt = 1; ; attempt++) {
      const answer = await this.https.request('POST', url, { headers, body }).catch(() => null);
      if (answer && answer.status >= 200 && answer.status < 300) return statusIn(answer.body);
      const mayPass = !answer || answer.status >= 500 || answer.status === 429;
      if (!mayPass || attempt === ATTEMPTS_MAX) throw new TokenRefused('the authentication webhook failed');
      await pause(pauseMs, undefined, { signal: this.ending.signal, ref: false });
      pauseMs *= BACKOFF_FACTOR;
    }
  }
}

const keyOf = (token: string, audiences: readonly string[]): string => `${audiences.join(' ')}\n${token}`;

function statusIn(body: string): ReviewStatus {
  try {
    const { status } = JSON.parse(body) as { status?: ReviewStatus };
    if (typeof status === 'object' && status !== null) return status;
  } catch {
    // What is no JSON is no review either.
  }
  throw new TokenRefused('the authentication webhook answered with no TokenReview');
}
