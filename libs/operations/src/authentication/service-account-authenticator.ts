import { node, type Pod, pod, secret, serviceAccount } from '@periplus/api';
import { type DeepReadonly, type KubeObject, parseTime } from '@periplus/apimachinery';
import { type CacheReader, ClusterState } from '../cluster-state.ts';
import type { TokenIdentity, User } from '../types.ts';
import { AUTHENTICATED } from './certificate-user.ts';
import { KnownTokens } from './known-tokens.ts';
import type { BoundObject, ServiceAccountTokens, TokenClaims } from './service-account-tokens.ts';
import { type TokenAuthenticator, TokenRefused } from './token-authenticator.ts';
import { CLOCK_LEEWAY_MS } from './token-keys.ts';

const INVALIDATED = 'service account token has been invalidated';

interface Verified {
  readonly claims: TokenClaims;
  readonly user: User;
}

function tokenUser(claims: TokenClaims): User {
  const { namespace, serviceAccount: account, pod: bound, node } = claims;
  const extra: Record<string, string[]> = {};
  if (claims.id) extra['authentication.kubernetes.io/credential-id'] = [`JTI=${claims.id}`];
  if (node) {
    extra['authentication.kubernetes.io/node-name'] = [node.name];
    extra['authentication.kubernetes.io/node-uid'] = [node.uid];
  }
  if (bound) {
    extra['authentication.kubernetes.io/pod-name'] = [bound.name];
    extra['authentication.kubernetes.io/pod-uid'] = [bound.uid];
  }
  return {
    name: `system:serviceaccount:${namespace}:${account.name}`,
    uid: account.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, AUTHENTICATED],
    extra,
  };
}

/** Takes the tokens of service accounts, as long as the account and what the token is bound to exist. */
export class ServiceAccountAuthenticator implements TokenAuthenticator {
  private readonly cluster: ClusterState;
  private readonly tokens: ServiceAccountTokens;
  private readonly now: () => number;
  private readonly verified = new KnownTokens<Verified>();

  constructor(deps: { cache: CacheReader; tokens: ServiceAccountTokens; now: () => number }) {
    this.cluster = new ClusterState(deps.cache);
    this.tokens = deps.tokens;
    this.now = deps.now;
  }

  remembered(token: string): User | undefined {
    const known = this.verified.get(token);
    if (!known) return undefined;
    if (this.now() < known.claims.expiresAtMs + CLOCK_LEEWAY_MS && this.problem(known.claims) === undefined) {
      return known.user;
    }
    this.verified.delete(token);
    return undefined;
  }

  async authenticate(token: string, audiences: readonly string[]): Promise<TokenIdentity | undefined> {
    const claims = await this.tokens.verify(token, this.now(), audiences);
    if (!claims) return undefined;
    if (this.problem(claims) !== undefined) {
      // The account may be younger than what the cache has seen.
      await this.cluster.refresh();
      const problem = this.problem(claims);
      if (problem !== undefined) throw new TokenRefused(problem);
    }
    const user = tokenUser(claims);
    const isForUs = claims.audiences.some((audience) => this.tokens.audiences.includes(audience));
    if (isForUs) this.verified.set(token, { claims, user });
    return { user, audiences: audiences.filter((audience) => claims.audiences.includes(audience)) };
  }

  /** What keeps the token from holding, as far as the cache knows; undefined when nothing does. */
  private problem(claims: TokenClaims): string | undefined {
    const { namespace, serviceAccount: account, ...bound } = claims;
    const found = this.cluster.object(serviceAccount, namespace, account.name);
    if (!found) return `serviceaccounts ${JSON.stringify(account.name)} not found`;
    if (this.isDeleted(found)) return `service account ${namespace}/${account.name} has been deleted`;
    if (found.metadata.uid !== account.uid) {
      return `service account UID (${found.metadata.uid}) does not match claim (${account.uid})`;
    }
    if (bound.secret)
      return this.lost(this.cluster.object(secret, namespace, bound.secret.name), 'secret', bound.secret);
    if (bound.pod) return this.lost(this.cluster.object<Pod>(pod, namespace, bound.pod.name), 'pod', bound.pod);
    if (bound.node) return this.lost(this.cluster.object(node, '', bound.node.name), 'node', bound.node);
    return undefined;
  }

  private lost(object: DeepReadonly<KubeObject> | undefined, kind: string, bound: BoundObject): string | undefined {
    if (!object || this.isDeleted(object)) return INVALIDATED;
    const { uid } = object.metadata;
    return uid === bound.uid
      ? undefined
      : `${kind} UID (${uid}) does not match service account ${kind} ref claim (${bound.uid})`;
  }

  /** Pods may use their tokens a little beyond their end, to say goodbye. */
  private isDeleted({ metadata }: DeepReadonly<KubeObject>): boolean {
    const deletion = metadata.deletionTimestamp;
    return deletion !== undefined && (parseTime(deletion) ?? 0) < this.now() - CLOCK_LEEWAY_MS;
  }
}
