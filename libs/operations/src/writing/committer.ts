import type { Kind } from '@periplus/api';
import type { DeepReadonly, JsonObject, KubeObject } from '@periplus/apimachinery';
import { allocationPath, type Committed, type Store, type Write, WriteConflict } from '@periplus/store';
import { type ClusterState, resourceOf, storageKind } from '../cluster-state.ts';
import type { Quotas } from '../quota/quotas.ts';
import type { ObjectResult } from '../types.ts';
import { CLUSTER_IPS, companionsOf } from './companions.ts';
import type { DecidedChange } from './decided-change.ts';
import { addressChanges } from './service-addresses.ts';

/** What a commit answers with. Made and parsed when somebody asks, which who commands seldom does. */
class CommittedObject implements ObjectResult {
  readonly resourceVersion: string;
  readonly revision: number;
  readonly code: ObjectResult['code'];
  private readonly make: () => Buffer;
  private made: Buffer | undefined;
  private parsed: DeepReadonly<KubeObject> | undefined;

  constructor({ resourceVersion, revision, bytes }: Committed, code: ObjectResult['code']) {
    this.resourceVersion = resourceVersion;
    this.revision = revision;
    this.code = code;
    this.make = bytes as () => Buffer;
  }

  get bytes(): Buffer {
    this.made ??= this.make();
    return this.made;
  }

  get object(): DeepReadonly<KubeObject> {
    this.parsed ??= JSON.parse(this.bytes.toString('utf8')) as DeepReadonly<KubeObject>;
    return this.parsed;
  }
}

const withVersion = (object: DeepReadonly<KubeObject>, resourceVersion: string): DeepReadonly<KubeObject> => {
  const { kind, apiVersion, metadata, ...rest } = object;
  const { resourceVersion: _, ...others } = metadata;
  return { kind, apiVersion, metadata: { ...(resourceVersion && { resourceVersion }), ...others }, ...rest };
};

/** Answers with an object that is not stored like this: another form of it, a dry run, the state of a removal. */
export function resultOf(
  object: DeepReadonly<KubeObject>,
  resourceVersion: string,
  revision: number,
  code: ObjectResult['code'] = 200,
): ObjectResult {
  const versioned = withVersion(object, resourceVersion);
  let made: Buffer | undefined;
  return {
    object: versioned,
    // Who deletes by command seldom asks for it.
    get bytes() {
      made ??= Buffer.from(JSON.stringify(versioned));
      return made;
    },
    resourceVersion,
    revision,
    code,
  };
}

/** In the form of the kind that was asked for. */
export const inFormOf = (kind: Kind, stored: DeepReadonly<KubeObject>): DeepReadonly<KubeObject> =>
  kind.storedAs ? kind.storedAs.fromStorage(stored as KubeObject) : stored;

let writes = 0;

/** What the store has to do for a decided change, and what changes with it. */
export function writeOf({ context, verb, kind, old, object }: DecidedChange): Write {
  const stored = storageKind(kind);
  const { metadata } = object ?? old!.object;
  const namespace = stored.namespaced ? metadata.namespace! : '';
  return {
    key: { group: stored.group, resource: stored.plural, namespace, name: metadata.name! },
    object: object as JsonObject | null,
    confidential: stored.confidential,
    ifRevision: old?.revision ?? 0,
    companions: companionsOf(stored, object, old?.object ?? null),
    provenance: {
      actor: context.user.name,
      verb,
      timeMs: context.nowMs,
      // A request may write more than once: retries, collections.
      requestId: `${context.requestId}/${(writes++).toString(36)}`,
      cause: context.cause,
    },
  };
}

const codeOf = ({ old }: DecidedChange): ObjectResult['code'] => (old === null ? 201 : 200);

/** The answer to a change that is not committed: of a dry run, or not yet. */
export function uncommitted(change: DecidedChange): ObjectResult {
  const { kind, old, object, last } = change;
  const state = object ?? last ?? old!.object;
  return resultOf(inFormOf(kind, state), old?.resourceVersion ?? '', old?.revision ?? 0, codeOf(change));
}

/** The answer to a change that is. */
export function committedResult(change: DecidedChange, committed: Committed): ObjectResult {
  const { kind, old, object, last } = change;
  const { revision, resourceVersion } = committed;
  if (object !== null && !kind.storedAs) return new CommittedObject(committed, codeOf(change));
  return resultOf(inFormOf(kind, object ?? last ?? old!.object), resourceVersion, revision, codeOf(change));
}

/** An IPAddress that stands already is an address that is taken; one that has changed is to be looked at again. */
const addressConflict = ({ object, old }: DecidedChange, { revision }: WriteConflict): WriteConflict =>
  new WriteConflict(revision, old ? null : allocationPath(CLUSTER_IPS, object!.metadata.name!));

/** Writes what was decided, with everything that changes with it, and makes the answer. */
export class Committer {
  private readonly cluster: ClusterState;
  private readonly store: Store;
  private readonly quotas: Quotas;

  constructor(cluster: ClusterState, store: Store, quotas: Quotas) {
    this.cluster = cluster;
    this.store = store;
    this.quotas = quotas;
  }

  /**
   * Rejects with WriteConflict when `old` is not the newest, and with Forbidden where a quota leaves no room. A dry run
   * writes nothing.
   */
  commit(change: DecidedChange): Promise<ObjectResult> {
    return this.counted(change, () => this.write(change));
  }

  /** Runs `write`, which is to carry out the change, within the quotas that it concerns. */
  counted<T>(change: DecidedChange, write: () => Promise<T>): Promise<T> {
    const { context, kind, old, object } = change;
    const { namespace } = (object ?? old!.object).metadata;
    if (!namespace) return write();
    const resource = resourceOf(kind);
    const quotas = this.quotas.of(resource, namespace);
    if (quotas.length === 0) return write();
    const counted = { resource, namespace, old: old?.object ?? null, now: object, dryRun: context.dryRun };
    return this.quotas.within(counted, quotas, write);
  }

  private async write(change: DecidedChange): Promise<ObjectResult> {
    if (change.context.dryRun) return uncommitted(change);
    const addresses = addressChanges(this.cluster, change);
    const committed =
      addresses.length === 0 ? await this.store.commit(writeOf(change)) : await this.together(change, addresses);
    return committedResult(change, committed);
  }

  private async together(change: DecidedChange, addresses: readonly DecidedChange[]): Promise<Committed> {
    try {
      const [first] = await this.store.commitAll({ writes: [change, ...addresses].map(writeOf), standing: [] });
      return first!;
    } catch (error) {
      const address = error instanceof WriteConflict ? addresses[error.place - 1] : undefined;
      throw address ? addressConflict(address, error as WriteConflict) : error;
    }
  }
}
