import { type Amounts, isInScope, type Pod, quotaUsage, type ResourceQuota, unsaid } from '@periplus/api';
import {
  type DeepReadonly,
  forbidden,
  type GroupResource,
  type KubeObject,
  type Quantity,
  StatusError,
} from '@periplus/apimachinery';
import { WriteConflict } from '@periplus/store';
import { type AccountDeps, QuotaAccount } from './quota-account.ts';

/** One change of one object of a namespace, decided. In its stored form. */
export interface Counted {
  readonly resource: GroupResource;
  readonly namespace: string;
  readonly old: DeepReadonly<KubeObject> | null;
  readonly now: DeepReadonly<KubeObject> | null;
  readonly dryRun: boolean;
}

/** What a change adds to a quota, and what it takes away. */
interface Share {
  readonly account: QuotaAccount;
  readonly rise: Amounts;
  readonly fall: Amounts;
}

type Quota = DeepReadonly<ResourceQuota>;

/** Kept for no longer than they count, and made by the cluster itself. */
const UNCOUNTED = 'events';
const CLIENT_ERROR_MAX = 499;

const NOTHING: Amounts = new Map();

const usageIn = (quota: Quota, resource: GroupResource, object: Counted['now']): Amounts =>
  object && isInScope(quota, resource, object) ? quotaUsage(resource, object) : NOTHING;

/** By how much `one` is more than `other`. */
function excess(one: Amounts, other: Amounts): Amounts {
  const more = new Map<string, Quantity>();
  for (const [name, amount] of one) {
    const before = other.get(name);
    const difference = before ? amount.subtract(before) : amount;
    if (difference.nano > 0n) more.set(name, difference);
  }
  return more;
}

/** Whether a write that failed so cannot have happened. */
const surelyFailed = (error: unknown): boolean =>
  error instanceof WriteConflict || (error instanceof StatusError && error.code <= CLIENT_ERROR_MAX);

/**
 * Resource quotas, the last of admission: what a write needs is counted before it, and given back when it fails or when
 * it frees something. https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#resourcequota
 */
export class Quotas {
  private readonly deps: AccountDeps;
  private readonly accounts = new Map<string, QuotaAccount>();

  constructor(deps: AccountDeps) {
    this.deps = deps;
  }

  /** Runs `write` within the quotas of the namespace. Rejects with Forbidden where they leave no room. */
  async within<T>(change: Counted, quotas: readonly Quota[], write: () => Promise<T>): Promise<T> {
    const shares = quotas.flatMap((quota) => this.shareOf(quota, change));
    const refuse = refusalOf(change);
    await this.holdAll(
      shares,
      (account, amounts) => account.hold({ amounts, refuse, dryRun: change.dryRun }),
      change.dryRun,
    );
    try {
      const result = await write();
      if (!change.dryRun) for (const { account, fall } of shares) if (fall.size > 0) account.giveBack(fall);
      return result;
    } catch (error) {
      if (!change.dryRun && surelyFailed(error))
        for (const { account, rise } of shares) if (rise.size > 0) account.giveBack(rise);
      throw error;
    }
  }

  /** The quotas that a change of the resource in the namespace may concern. */
  of({ group, resource }: GroupResource, namespace: string): readonly Quota[] {
    if (resource === UNCOUNTED && (group === '' || group === 'events.k8s.io')) return [];
    return this.deps.cluster.quotasIn(namespace);
  }

  private shareOf(quota: Quota, change: Counted): Share[] {
    const { resource, old, now } = change;
    const [before, after] = [usageIn(quota, resource, old), usageIn(quota, resource, now)];
    const rise = excess(after, before);
    const fall = excess(before, after);
    if (rise.size + fall.size === 0) return [];
    if (old === null && now && resource.group === '' && resource.resource === 'pods') {
      const missing = unsaid(Object.keys(quota.status?.hard ?? {}), now as DeepReadonly<Pod>);
      if (missing) throw refusalOf(change)(`failed quota: ${quota.metadata.name}: must specify ${missing}`);
    }
    return [{ account: this.account(quota), rise, fall }];
  }

  private async holdAll(
    shares: readonly Share[],
    hold: (account: QuotaAccount, amounts: Amounts) => Promise<void>,
    dryRun: boolean,
  ): Promise<void> {
    const rising = shares.filter(({ rise }) => rise.size > 0);
    const outcomes = await Promise.allSettled(rising.map(({ account, rise }) => hold(account, rise)));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (!failed) return;
    rising.forEach(({ account, rise }, i) => {
      if (outcomes[i]!.status === 'fulfilled' && !dryRun) account.giveBack(rise);
    });
    throw failed.reason;
  }

  private account({ metadata }: Quota): QuotaAccount {
    const id = `${metadata.namespace}/${metadata.name}`;
    const known = this.accounts.get(id);
    if (known) return known;
    const account = new QuotaAccount(this.deps, metadata.namespace!, metadata.name!, () => {
      if (this.accounts.get(id) === account) this.accounts.delete(id);
    });
    this.accounts.set(id, account);
    return account;
  }
}

const refusalOf =
  ({ resource, now }: Counted) =>
  (why: string): StatusError =>
    forbidden(resource, now?.metadata.name ?? 'Unknown', why);
