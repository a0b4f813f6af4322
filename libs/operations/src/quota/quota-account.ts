import { randomUUID } from 'node:crypto';
import { type Amounts, type ResourceQuota, resourceQuota } from '@periplus/api';
import { type DeepReadonly, type JsonObject, parseQuantity, type Quantity, StatusError } from '@periplus/apimachinery';
import type { Entry } from '@periplus/cache';
import { type Store, WriteConflict } from '@periplus/store';
import type { ClusterState } from '../cluster-state.ts';

type Used = Map<string, Quantity>;

/** Something that wants to be counted in a quota. */
export interface Claim {
  readonly amounts: Amounts;
  /** The 403 of whoever asks. */
  refuse(why: string): StatusError;
  /** Only ask whether there is room. */
  readonly dryRun: boolean;
}

interface Waiting extends Claim {
  resolve(): void;
  reject(error: unknown): void;
}

export interface AccountDeps {
  cluster: ClusterState;
  store: Store;
  now(): number;
}

/** As often other servers may be faster; then the claims are refused for now. */
const ATTEMPTS_MAX = 32;
const API_SERVER = 'system:apiserver';

const shown = (amounts: Amounts, names: readonly string[]): string =>
  names.map((name) => `${name}=${amounts.get(name) ?? 0}`).join(',');

const read = (quantities: DeepReadonly<Record<string, string | number>> = {}): Used =>
  new Map(Object.entries(quantities).map(([name, quantity]) => [name, parseQuantity(quantity)]));

/**
 * What is used of one quota. Claims are added to its status before the objects that they are for are written, and given
 * back after those are gone, so that all that is there is counted at any time. Each change of the status is made on the
 * newest one, whichever server wrote that; claims that come together go out together.
 * https://kubernetes.io/docs/concepts/policy/resource-quotas/#how-kubernetes-resourcequotas-work
 */
export class QuotaAccount {
  private readonly deps: AccountDeps;
  private readonly namespace: string;
  private readonly name: string;
  private waiting: Waiting[] = [];
  /** What is to be given back. */
  private returned: Used = new Map();
  private isBusy = false;
  private readonly onIdle: () => void;

  constructor(deps: AccountDeps, namespace: string, name: string, onIdle: () => void) {
    this.deps = deps;
    this.namespace = namespace;
    this.name = name;
    this.onIdle = onIdle;
  }

  /** Resolves when the claim is counted; rejects with Forbidden when it is more than is left. */
  hold(claim: Claim): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ ...claim, resolve, reject });
      this.run();
    });
  }

  /** Soon, and as far as etcd can be reached; the resource quota controller finds what was lost. */
  giveBack(amounts: Amounts): void {
    for (const [name, amount] of amounts) this.returned.set(name, this.returned.get(name)?.add(amount) ?? amount);
    this.run();
  }

  private async run(): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    while (this.waiting.length > 0 || this.returned.size > 0) {
      const claims = this.waiting;
      const returned = this.returned;
      this.waiting = [];
      this.returned = new Map();
      try {
        await this.settle(claims, returned);
      } catch (error) {
        for (const claim of claims) claim.reject(error);
      }
    }
    this.isBusy = false;
    this.onIdle();
  }

  private async settle(claims: readonly Waiting[], returned: Used): Promise<void> {
    const { cluster } = this.deps;
    let open = claims;
    let isFresh = false;
    for (let attempt = 0; attempt < ATTEMPTS_MAX; ) {
      const entry = cluster.entry(resourceQuota as never, this.namespace, this.name);
      const { granted, refused, used } = decide(entry, open, returned);
      // What was seen may be old, and a refusal must not be.
      if (refused.size > 0 && !isFresh) {
        await cluster.refresh();
        isFresh = true;
        continue;
      }
      for (const [claim, why] of refused) claim.reject(claim.refuse(why));
      open = granted;
      if (!entry || used === null || (await this.write(entry, used))) {
        for (const claim of granted) claim.resolve();
        return;
      }
      isFresh = true;
      attempt++;
    }
    throw new StatusError('Conflict', `resourcequotas "${this.name}" changes too fast, please try again`);
  }

  /** Whether nobody was faster; the cache then shows what was written, and otherwise who was. */
  private async write({ object, key, revision }: Entry, used: Used): Promise<boolean> {
    const { cluster, store, now } = this.deps;
    const quota = object as DeepReadonly<ResourceQuota>;
    const status = {
      ...quota.status,
      used: Object.fromEntries([...used].map(([name, amount]) => [name, `${amount}`])),
    };
    try {
      const committed = await store.commit({
        key,
        object: { ...quota, status } as unknown as JsonObject,
        confidential: [],
        ifRevision: revision,
        companions: [],
        provenance: { actor: API_SERVER, verb: 'update', timeMs: now(), requestId: randomUUID(), cause: null },
      });
      await cluster.reach(committed.revision);
      return true;
    } catch (error) {
      if (!(error instanceof WriteConflict)) throw error;
      await cluster.reach(error.revision);
      return false;
    }
  }
}

interface Decision {
  granted: Waiting[];
  refused: Map<Waiting, string>;
  /** What is used when all that was granted is; null when that is no news. */
  used: Used | null;
}

/** Who gets what, in the order of asking. A quota that nobody has looked at yet has no limits. */
function decide(entry: Pick<Entry, 'object'> | undefined, claims: readonly Waiting[], returned: Amounts): Decision {
  const quota = entry?.object as DeepReadonly<ResourceQuota> | undefined;
  const hard = read(quota?.status?.hard);
  const used = read(quota?.status?.used);
  const granted: Waiting[] = [];
  const refused = new Map<Waiting, string>();
  let isNews = false;
  for (const [name, amount] of returned) {
    const before = used.get(name);
    if (!before || !hard.has(name) || amount.isZero) continue;
    const rest = before.subtract(amount);
    used.set(name, rest.nano < 0n ? rest.subtract(rest) : rest);
    isNews = true;
  }
  for (const claim of claims) {
    const why = quota && problemOf(claim, quota.metadata.name!, hard, used);
    if (why) {
      refused.set(claim, why);
      continue;
    }
    granted.push(claim);
    if (claim.dryRun) continue;
    for (const [name, amount] of claim.amounts) {
      const before = used.get(name);
      if (!before || !hard.has(name) || amount.isZero) continue;
      used.set(name, before.add(amount));
      isNews = true;
    }
  }
  return { granted, refused, used: isNews ? used : null };
}

function problemOf({ amounts }: Claim, quota: string, hard: Used, used: Used): string | undefined {
  const names = [...amounts.keys()].filter((name) => hard.has(name)).sort();
  const unknown = names.filter((name) => !used.has(name));
  if (unknown.length > 0) return `status unknown for quota: ${quota}, resources: ${unknown.join(',')}`;
  const exceeded = names.filter((name) => used.get(name)!.add(amounts.get(name)!).compare(hard.get(name)!) > 0);
  if (exceeded.length === 0) return undefined;
  const [requested, before, limited] = [shown(amounts, exceeded), shown(used, exceeded), shown(hard, exceeded)];
  return `exceeded quota: ${quota}, requested: ${requested}, used: ${before}, limited: ${limited}`;
}
