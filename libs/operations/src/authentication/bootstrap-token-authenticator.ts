import { timingSafeEqual } from 'node:crypto';
import { type Secret, secret } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { type CacheReader, ClusterState } from '../cluster-state.ts';
import type { User } from '../types.ts';
import { AUTHENTICATED } from './certificate-user.ts';
import type { UserAuthenticator } from './for-api-server.ts';

const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const NAMESPACE = 'kube-system';
const TYPE = 'bootstrap.kubernetes.io/token';
const BOOTSTRAPPERS = 'system:bootstrappers';
const EXTRA_GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Undefined when one of them may not be given this way. */
function groupsOf(extra: string): string[] | undefined {
  const more = extra === '' ? [] : extra.split(',');
  return more.every((group) => EXTRA_GROUP.test(group)) ? [...new Set([BOOTSTRAPPERS, ...more])].sort() : undefined;
}

/** What a Secret says about the token with this id and secret part; undefined when the token does not hold. */
function userOf({ type, data = {} }: DeepReadonly<Secret>, id: string, part: string, nowMs: number): User | undefined {
  const value = (key: string): Buffer => Buffer.from(data[key] ?? '', 'base64');
  const [kept, shown] = [value('token-secret'), Buffer.from(part)];
  if (type !== TYPE || kept.length !== shown.length || !timingSafeEqual(kept, shown)) return undefined;
  if (value('token-id').toString() !== id || value('usage-bootstrap-authentication').toString() !== 'true') {
    return undefined;
  }
  const expiration = value('expiration').toString();
  // One that cannot be read has passed.
  if (expiration !== '' && !(RFC_3339.test(expiration) && Date.parse(expiration) > nowMs)) return undefined;
  const groups = groupsOf(value('auth-extra-groups').toString());
  if (!groups) return undefined;
  return { name: `system:bootstrap:${id}`, uid: '', groups: [...groups, AUTHENTICATED], extra: {} };
}

/**
 * Takes the tokens that new nodes join with. Nothing is remembered: each is compared with its Secret.
 * https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
 */
export class BootstrapTokenAuthenticator implements UserAuthenticator {
  private readonly cluster: ClusterState;
  private readonly now: () => number;

  constructor(deps: { cache: CacheReader; now: () => number }) {
    this.cluster = new ClusterState(deps.cache);
    this.now = deps.now;
  }

  remembered(): undefined {
    return undefined;
  }

  async authenticate(token: string): Promise<User | undefined> {
    const [, id, part] = TOKEN.exec(token) ?? [];
    if (id === undefined || part === undefined) return undefined;
    const found = this.cluster.object<Secret>(secret, NAMESPACE, `bootstrap-token-${id}`);
    if (!found || found.metadata.deletionTimestamp) return undefined;
    return userOf(found, id, part, this.now());
  }
}
