import { setTimeout as pause } from 'node:timers/promises';
import { type Kind, type Lease, lease } from '@periplus/api';
import {
  type DeepReadonly,
  formatMicroTime,
  isAlreadyExists,
  isConflict,
  isNotFound,
  type JsonObject,
} from '@periplus/apimachinery';
import type { EtcdClient, KeyValue } from '@periplus/etcd';
import type { Keys } from '@periplus/store';
import { ownContext } from '../own-context.ts';
import type { Operations, Target } from '../types.ts';

const NAMESPACE = 'kube-system';
/** Between attempts while etcd can't be reached or a Lease can't be written. */
const RETRY_MS = 1_000;
/** As often somebody else may be faster with a Lease before it waits for another turn. */
const ATTEMPTS_MAX = 5;
const FIELD_MANAGER = 'leader-election';

export interface LeaderLeasesDeps {
  etcd: Pick<EtcdClient, 'range' | 'watch'>;
  keys: Pick<Keys, 'election' | 'electionRange'>;
  /** Components that are elected: `scheduler` has the Lease `kube-scheduler`. */
  elected: readonly string[];
  operations: Pick<Operations, 'get' | 'create' | 'patch'>;
  log: { warn(fields: Record<string, unknown>, message: string): void };
  now: () => number;
}

/** Who holds an election, as Leases name holders: host and what tells this time from others. '' for nobody. */
function holderOf(kv: KeyValue | undefined): string {
  if (!kv) return '';
  let machine = '';
  try {
    machine = String((JSON.parse(kv.value.toString()) as { machine?: unknown }).machine ?? '');
  } catch {
    // Somebody else's way to say who he is.
  }
  return `${machine.split(' ', 1)[0] || 'unknown'}_${BigInt(kv.lease).toString(16)}`;
}

/**
 * What a Lease says when `holder` leads from now on, as a merge patch. No duration: nobody can have it by waiting.
 * Transitions count from the first holder on.
 */
function specOf(before: DeepReadonly<Lease['spec']> | undefined, holder: string, nowMs: number): JsonObject {
  const now = formatMicroTime(nowMs);
  if (holder === '') return { holderIdentity: null, renewTime: now };
  const { leaseTransitions } = before ?? {};
  return {
    ...{ holderIdentity: holder, acquireTime: now, renewTime: now },
    leaseTransitions: leaseTransitions === undefined ? 0 : leaseTransitions + 1,
  };
}

/**
 * Shows who holds the elections of the control plane as the Lease objects that Kubernetes' components elect each other
 * by, for programs that look at them. The election itself is a key in etcd that ends with its holder, so that a Lease
 * is written when its holder changes and never else. All api-servers do it; whose change comes second is refused.
 * https://kubernetes.io/docs/concepts/architecture/leases/#leader-election
 */
export class LeaderLeases {
  private readonly deps: LeaderLeasesDeps;
  private readonly closing = new AbortController();
  private readonly running: Promise<void>;

  constructor(deps: LeaderLeasesDeps) {
    this.deps = deps;
    this.running = this.follow();
  }

  /** Resolves when nothing is under way any more. */
  close(): Promise<void> {
    this.closing.abort();
    return this.running;
  }

  private async follow(): Promise<void> {
    const { etcd, keys, elected, log } = this.deps;
    const { signal } = this.closing;
    while (!signal.aborted) {
      try {
        const { kvs, revision } = await etcd.range(keys.electionRange());
        for (const component of elected) {
          const holder = kvs.find(({ key }) => key === keys.election(component));
          await this.show(`kube-${component}`, holderOf(holder));
        }
        await this.nextChange(revision + 1);
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ error }, 'the leaders could not be told');
        await pause(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  private async show(name: string, holder: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.write(name, holder);
      } catch (error) {
        const isSlower = isConflict(error) || isAlreadyExists(error);
        if (!isSlower || attempt >= ATTEMPTS_MAX) throw error;
      }
    }
  }

  private async write(name: string, holder: string): Promise<void> {
    const { operations, now } = this.deps;
    const nowMs = now();
    const context = ownContext(nowMs, FIELD_MANAGER);
    const target: Target = { kind: lease as unknown as Kind, namespace: NAMESPACE, name, subresource: '' };
    const found = await operations.get(context, target, {}).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    const before = found && (found.object as DeepReadonly<Lease>);
    if ((before?.spec.holderIdentity ?? '') === holder) return;
    const spec = specOf(before?.spec, holder, nowMs);
    if (before) {
      const { uid, resourceVersion } = before.metadata as { uid: string; resourceVersion: string };
      const patch = { mediaType: 'application/merge-patch+json', body: { value: { spec }, json: null } };
      await operations.patch(context, target, patch, { uid, resourceVersion });
    } else {
      await operations.create(context, { ...target, name: '' }, { value: { metadata: { name }, spec }, json: null });
    }
  }

  /** Resolves when an election has changed at or after `startRevision`, or when that can't be told any more. */
  private nextChange(startRevision: number): Promise<void> {
    const { etcd, keys } = this.deps;
    const { signal } = this.closing;
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        watch.cancel();
        signal.removeEventListener('abort', changed);
        settle();
      };
      const changed = (): void => end(resolve);
      const watch = etcd.watch({
        ...keys.electionRange(),
        startRevision,
        onRevision: changed,
        onCompacted: changed,
        onFailed: (error) => end(() => reject(error)),
      });
      signal.addEventListener('abort', changed);
      if (signal.aborted) changed();
    });
  }
}
