import type { Kind } from '@periplus/api';
import type { DeepReadonly, KubeObject, ResourceKey } from '@periplus/apimachinery';
import type { CachedObject } from './cached-object.ts';
import type { ClusterState, ResourceTable } from './cluster-state.ts';
import type { Liveness } from './liveness.ts';
import type { Entry, Index, ResourceId, View } from './types.ts';

/** A kind that is stored as another is read as that one and turned into its own form. */
const storageOf = (kind: Kind): ResourceId => {
  const { group, plural } = kind.storedAs?.kind ?? kind;
  return { group, resource: plural };
};

function formOf<T extends KubeObject>(kind: Kind<T>, { object }: CachedObject): DeepReadonly<T> {
  const { storedAs } = kind;
  return (storedAs === null ? object : storedAs.fromStorage(structuredClone(object) as KubeObject)) as DeepReadonly<T>;
}

/**
 * The cache as reconcilers see it. It looks at the cache itself, so it is the cluster at one revision for as long as
 * nothing else runs: within one synchronous piece of work.
 */
export class ClusterView implements View {
  readonly nowMs: number;
  readonly #state: ClusterState;
  readonly #liveness: Liveness | null;

  constructor(state: ClusterState, liveness: Liveness | null, nowMs: number) {
    this.#state = state;
    this.#liveness = liveness;
    this.nowMs = nowMs;
  }

  get revision(): number {
    return this.#state.revision;
  }

  get<T extends KubeObject>(kind: Kind<T>, namespace: string, name: string): DeepReadonly<T> | undefined {
    const entry = this.#state.get({ ...storageOf(kind), namespace, name });
    return entry && formOf(kind, entry);
  }

  list<T extends KubeObject>(kind: Kind<T>, namespace?: string): readonly DeepReadonly<T>[] {
    return (this.#state.table(storageOf(kind))?.objects.list(namespace) ?? []).map((entry) => formOf(kind, entry));
  }

  owned<T extends KubeObject>(kind: Kind<T>, ownerUid: string): readonly DeepReadonly<T>[] {
    const { group, resource } = storageOf(kind);
    const owned: DeepReadonly<T>[] = [];
    for (const entry of this.#state.owners.get(ownerUid)) {
      if (entry.key.resource === resource && entry.key.group === group) owned.push(formOf(kind, entry));
    }
    return owned;
  }

  dependents(ownerUid: string): readonly Entry[] {
    return [...this.#state.owners.get(ownerUid)];
  }

  index<T extends KubeObject>(index: Index<T>, value: string): readonly DeepReadonly<T>[] {
    const found = this.#state.index(index as Index, value);
    return Array.from(found, (entry) => formOf(index.kind, entry));
  }

  entry(key: ResourceKey): Entry | undefined {
    return this.#state.get(key);
  }

  *entries(of?: ResourceId, namespace?: string): Iterable<Entry> {
    const one = of && this.#state.table(of);
    const tables: Iterable<ResourceTable> = of === undefined ? this.#state.tables : one === undefined ? [] : [one];
    for (const { objects } of tables) yield* objects.list(namespace);
  }

  alive(node: string): boolean {
    if (this.#liveness === null) throw new Error('this cache does not follow the liveness of nodes');
    return this.#liveness.alive(node);
  }
}
