import { type Secret, type ServiceAccount, secret, serviceAccount, SERVICE_ACCOUNT_TOKEN as TYPE } from '@periplus/api';
import { type DeepReadonly, isConflict, isNotFound, type JsonObject } from '@periplus/apimachinery';
import type { Change, Entry } from '@periplus/cache';
import type { ServiceAccountTokens } from '../authentication/service-account-tokens.ts';
import { type ClusterState, resourceOf } from '../cluster-state.ts';
import { ownContext } from '../own-context.ts';
import type { Operations, Target } from '../types.ts';

const ACCOUNT_NAME = 'kubernetes.io/service-account.name';
const ACCOUNT_UID = 'kubernetes.io/service-account.uid';
/** A Secret that could not be written is tried again after this time. */
const RETRY_MS = 1_000;
const SECRETS = resourceOf(secret as unknown as Target['kind']);

type SecretView = DeepReadonly<Secret>;
type AccountView = DeepReadonly<ServiceAccount>;

interface Deps {
  cluster: ClusterState;
  operations: Pick<Operations, 'patch' | 'delete'>;
  tokens: ServiceAccountTokens;
  /** PEM: what clients check this server against. */
  rootCa: Buffer;
}

const accountName = ({ metadata }: SecretView): string => metadata.annotations?.[ACCOUNT_NAME] ?? '';

/** Whether the account is the one that the Secret is for. */
const isFor = ({ metadata: { annotations } }: SecretView, account: AccountView | undefined): account is AccountView =>
  account !== undefined && (annotations?.[ACCOUNT_UID] ?? account.metadata.uid) === account.metadata.uid;

/** What the Secret lacks, as a merge patch; null when it lacks nothing. */
async function missing(
  { metadata, data = {} }: SecretView,
  account: AccountView,
  { tokens, rootCa }: Deps,
): Promise<JsonObject | null> {
  const namespace = metadata.namespace!;
  const { name = '', uid = '' } = account.metadata;
  const more: Record<string, string> = {};
  const ca = rootCa.toString('base64');
  if (data['ca.crt'] !== ca) more['ca.crt'] = ca;
  if (!data.namespace) more.namespace = Buffer.from(namespace).toString('base64');
  if (!data.token) {
    const claims = { namespace, serviceAccount: { name, uid }, secretName: metadata.name! };
    more.token = Buffer.from(await tokens.signLegacy(claims)).toString('base64');
  }
  const hasUid = metadata.annotations?.[ACCOUNT_UID] === uid;
  if (Object.keys(more).length === 0 && hasUid) return null;
  return { metadata: { annotations: { [ACCOUNT_UID]: uid } }, data: more };
}

/** Secrets that wait to be looked at, one after the other, each at most once. */
class TokenSecrets {
  private readonly deps: Deps;
  private readonly waiting = new Set<string>();
  private readonly failed = new Set<string>();
  private retry: NodeJS.Timeout | undefined;
  private isWorking = false;
  private isClosed = false;

  constructor(deps: Deps) {
    this.deps = deps;
    for (const entry of deps.cluster.cache.list(SECRETS)) {
      if (entry.bytes.includes(TYPE)) this.add(entry.key);
    }
  }

  changed(changes: readonly Change[]): void {
    for (const { type, entry } of changes) {
      const { group, resource, namespace, name } = entry.key;
      if (group !== '') continue;
      if (resource === SECRETS.resource && type !== 'deleted' && entry.bytes.includes(TYPE)) this.add(entry.key);
      if (resource === serviceAccount.plural) this.addThoseOf(namespace, name);
    }
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.retry);
  }

  private addThoseOf(namespace: string, account: string): void {
    for (const { key, bytes, object } of this.deps.cluster.cache.list(SECRETS, namespace)) {
      if (bytes.includes(TYPE) && accountName(object as SecretView) === account) this.add(key);
    }
  }

  private add({ namespace, name }: Entry['key']): void {
    this.waiting.add(`${namespace}/${name}`);
    if (!this.isWorking) void this.work();
  }

  private again(key: string): void {
    this.failed.add(key);
    this.retry ??= setTimeout(() => {
      this.retry = undefined;
      for (const one of this.failed) this.waiting.add(one);
      this.failed.clear();
      if (!this.isWorking) void this.work();
    }, RETRY_MS).unref();
  }

  private async work(): Promise<void> {
    this.isWorking = true;
    for (const key of this.waiting) {
      if (this.isClosed) break;
      this.waiting.delete(key);
      const [namespace = '', name = ''] = key.split('/');
      try {
        await this.look(namespace, name);
      } catch (error) {
        // Whoever was faster has changed it, and the change brings us here again.
        if (!isConflict(error) && !isNotFound(error)) this.again(key);
      }
    }
    this.isWorking = false;
  }

  private async look(namespace: string, name: string): Promise<void> {
    const { cluster, operations } = this.deps;
    const found = cluster.object<Secret>(secret, namespace, name);
    if (found?.type !== TYPE || found.metadata.deletionTimestamp) return;
    const target: Target = { kind: secret as unknown as Target['kind'], namespace, name, subresource: '' };
    const context = ownContext(Date.now(), 'tokens-controller');
    const { uid, resourceVersion } = found.metadata as { uid: string; resourceVersion: string };
    const account = await cluster.eventually(() => this.accountOf(found));
    if (!account) {
      await operations.delete(context, target, { preconditions: { uid } });
      return;
    }
    const value = await missing(found, account, this.deps);
    if (!value) return;
    const patch = { mediaType: 'application/merge-patch+json', body: { value, json: null } };
    await operations.patch(context, target, patch, { uid, resourceVersion });
  }

  private accountOf(of: SecretView): AccountView | undefined {
    const account = this.deps.cluster.object<ServiceAccount>(serviceAccount, of.metadata.namespace!, accountName(of));
    return isFor(of, account) ? account : undefined;
  }
}

/**
 * Fills in the Secrets that hold tokens of service accounts, and deletes those whose account is gone, until it is
 * stopped. The api-server does it and not a controller, since it alone holds the key that tokens are signed with and
 * the one that Secrets are sealed with. All api-servers do it: whose change comes second is refused.
 * https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#token-controller
 */
export function keepTokenSecrets(deps: Deps): () => void {
  const secrets = new TokenSecrets(deps);
  const unsubscribe = deps.cluster.cache.subscribe((_, changes) => secrets.changed(changes));
  return () => {
    unsubscribe();
    secrets.close();
  };
}
