import { type Pod, pod, secret, serviceAccount } from '@periplus/api';
import { type DeepReadonly, type KubeObject, parseTime, unauthorized } from '@periplus/apimachinery';
import { type CacheReader, ClusterState } from '../cluster-state.ts';
import type { Authenticator, Credentials, User } from '../types.ts';
import { ANONYMOUS, AUTHENTICATED, certificateUser } from './certificate-user.ts';
import type { BoundObject, ServiceAccountTokens, TokenClaims } from './service-account-tokens.ts';

/** Verified tokens that are remembered; beyond that the oldest is forgotten. */
const TOKENS_MAX = 10_000;
/** Pods may use their tokens a little beyond their end, to say goodbye. */
const AFTER_DELETION_MS = 60_000;

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

/**
 * Tries in order: client certificate, service account token, anonymous. A token that does not hold is never
 * anonymous but refused.
 */
export function createAuthenticator(deps: {
  cache: CacheReader;
  /** Null: no token is accepted. */
  tokens: ServiceAccountTokens | null;
  /** Whether requests without credentials are let in as system:anonymous. */
  anonymous: boolean;
  now: () => number;
}): Authenticator {
  const { tokens, anonymous, now } = deps;
  const cluster = new ClusterState(deps.cache);
  const verified = new Map<string, Verified>();

  const stands = (object: DeepReadonly<KubeObject> | undefined, bound: BoundObject): boolean => {
    if (object?.metadata.uid !== bound.uid) return false;
    const deletion = object.metadata.deletionTimestamp;
    return deletion === undefined || now() < (parseTime(deletion) ?? 0) + AFTER_DELETION_MS;
  };

  /** Whether the account and what the token is bound to still exist, as far as the cache knows. */
  const inForce = ({ namespace, serviceAccount: account, ...bound }: TokenClaims): boolean => {
    if (!stands(cluster.object(serviceAccount, namespace, account.name), account)) return false;
    if (bound.pod && !stands(cluster.object<Pod>(pod, namespace, bound.pod.name), bound.pod)) return false;
    return !bound.secret || stands(cluster.object(secret, namespace, bound.secret.name), bound.secret);
  };

  const verify = async (token: string): Promise<User> => {
    let known = verified.get(token);
    if (!known) {
      const claims = await tokens?.verify(token, now());
      if (!claims) throw unauthorized();
      known = { claims, user: tokenUser(claims) };
    }
    if (!inForce(known.claims)) {
      // The account may be younger than what the cache has seen.
      await cluster.refresh();
      if (!inForce(known.claims)) {
        verified.delete(token);
        throw unauthorized();
      }
    }
    if (verified.size >= TOKENS_MAX) verified.delete(verified.keys().next().value!);
    verified.set(token, known);
    return known.user;
  };

  return {
    authenticate({ certificate, bearerToken }: Credentials): User | Promise<User> {
      const user = certificate && certificateUser(certificate);
      if (user) return user;
      if (bearerToken !== null) {
        const known = verified.get(bearerToken);
        if (known && now() < known.claims.expiresAtMs && inForce(known.claims)) return known.user;
        if (known && now() >= known.claims.expiresAtMs) verified.delete(bearerToken);
        return verify(bearerToken);
      }
      if (!anonymous) throw unauthorized();
      return ANONYMOUS;
    },
  };
}
