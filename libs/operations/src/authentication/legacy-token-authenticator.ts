import { timingSafeEqual } from 'node:crypto';
import {
  dayOf,
  INVALID_SINCE,
  type Secret,
  type ServiceAccount,
  secret,
  serviceAccount,
  startOfDay,
} from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { type CacheReader, ClusterState } from '../cluster-state.ts';
import type { User } from '../types.ts';
import { AUTHENTICATED } from './certificate-user.ts';
import type { UserAuthenticator } from './for-api-server.ts';
import { KnownTokens } from './known-tokens.ts';
import type { LegacyTokenUses } from './legacy-token-uses.ts';
import type { LegacyClaims, ServiceAccountTokens } from './service-account-tokens.ts';
import { TokenRefused } from './token-authenticator.ts';

const INVALIDATED = 'Token has been invalidated';
const UNASKED =
  'Use tokens from the TokenRequest API or manually created secret-based tokens instead of auto-generated secret-based tokens.';
const DAY_MS = 86_400_000;

interface Verified {
  readonly claims: LegacyClaims;
  readonly user: User;
  /** As it was when it held this token. */
  readonly secret: DeepReadonly<Secret>;
  /** The end of the day that its use was noted for, milliseconds since the epoch. */
  readonly notedUntilMs: number;
}

function holds({ data }: DeepReadonly<Secret>, token: string): boolean {
  const kept = Buffer.from(data?.token ?? '', 'base64');
  const shown = Buffer.from(token);
  return kept.length === shown.length && timingSafeEqual(kept, shown);
}

/** Why a token is refused that nobody had used for long; undefined when it is not. */
function mark({ metadata }: DeepReadonly<Secret>, { namespace, serviceAccount }: LegacyClaims): string | undefined {
  if (!metadata.labels?.[INVALID_SINCE]) return undefined;
  return `the token in secret ${namespace}/${metadata.name} for service account ${namespace}/${serviceAccount.name} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${INVALID_SINCE}' label from the secret to temporarily allow use of this token`;
}

/**
 * Takes the tokens that stand in Secrets, for as long as they stand there.
 * https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#manual-secret-management-for-serviceaccounts
 */
export class LegacyTokenAuthenticator implements UserAuthenticator {
  private readonly cluster: ClusterState;
  private readonly tokens: ServiceAccountTokens;
  private readonly now: () => number;
  private readonly uses: LegacyTokenUses;
  private readonly verified = new KnownTokens<Verified>();

  constructor(deps: { cache: CacheReader; tokens: ServiceAccountTokens; now: () => number; uses: LegacyTokenUses }) {
    this.cluster = new ClusterState(deps.cache);
    this.tokens = deps.tokens;
    this.now = deps.now;
    this.uses = deps.uses;
  }

  remembered(token: string): User | undefined {
    const known = this.verified.get(token);
    if (!known) return undefined;
    const { namespace, secretName } = known.claims;
    const isAsItWas =
      this.now() < known.notedUntilMs && this.cluster.object<Secret>(secret, namespace, secretName) === known.secret;
    if (isAsItWas && this.accountProblem(known.claims) === undefined) return known.user;
    this.verified.delete(token);
    return undefined;
  }

  async authenticate(token: string): Promise<User | undefined> {
    const claims = await this.tokens.verifyLegacy(token, this.now());
    if (!claims) return undefined;
    let found = this.secretOf(token, claims);
    if (typeof found === 'string') {
      // Secret and account may be younger than what the cache has seen.
      await this.cluster.refresh();
      found = this.secretOf(token, claims);
      if (typeof found === 'string') throw new TokenRefused(found);
    }
    this.uses.note(found);
    const marked = mark(found, claims);
    if (marked !== undefined) throw new TokenRefused(marked);
    const { namespace, serviceAccount: account } = claims;
    const user: User = {
      name: `system:serviceaccount:${namespace}:${account.name}`,
      uid: account.uid,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, AUTHENTICATED],
      extra: {},
      ...(this.wasUnasked(claims) && { warning: UNASKED }),
    };
    const notedUntilMs = (startOfDay(dayOf(this.now())) ?? 0) + DAY_MS;
    this.verified.set(token, { claims, user, secret: found, notedUntilMs });
    return user;
  }

  /** The Secret that holds the token; why the token does not hold, when that is so. */
  private secretOf(token: string, claims: LegacyClaims): DeepReadonly<Secret> | string {
    const found = this.cluster.object<Secret>(secret, claims.namespace, claims.secretName);
    if (!found || found.metadata.deletionTimestamp) return INVALIDATED;
    if (!holds(found, token)) return "Token does not match server's copy";
    return this.accountProblem(claims) ?? found;
  }

  /** Whether Kubernetes once made the token for its account: such an account lists it. */
  private wasUnasked({ namespace, serviceAccount: { name }, secretName }: LegacyClaims): boolean {
    const account = this.cluster.object<ServiceAccount>(serviceAccount, namespace, name);
    return account?.secrets?.some((listed) => listed.name === secretName) ?? false;
  }

  private accountProblem({ namespace, serviceAccount: { name, uid } }: LegacyClaims): string | undefined {
    const account = this.cluster.object(serviceAccount, namespace, name);
    if (!account) return `serviceaccounts ${JSON.stringify(name)} not found`;
    if (account.metadata.deletionTimestamp) return `ServiceAccount ${namespace}/${name} has been deleted`;
    if (account.metadata.uid === uid) return undefined;
    return `ServiceAccount UID (${account.metadata.uid}) does not match claim (${uid})`;
  }
}
