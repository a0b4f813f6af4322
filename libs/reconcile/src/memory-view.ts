import type { Kind } from '@periplus/api';
import type { DeepReadonly, KubeObject, ResourceKey } from '@periplus/apimachinery';
import type { Entry, Index, View } from '@periplus/cache';
import { registryKey } from './change-routing.ts';

type Objects<T extends KubeObject> = readonly DeepReadonly<T>[];

/** A view over entries in memory: what reconcilers are tested with. Lookups scan, so keep it small. */
export class MemoryView implements View {
  readonly revision: number;
  readonly nowMs: number;
  private readonly all: ReadonlyMap<string, Entry>;
  private readonly aliveNodes: ReadonlySet<string>;

  constructor(state: {
    revision: number;
    nowMs: number;
    entries: ReadonlyMap<string, Entry>;
    aliveNodes: ReadonlySet<string>;
  }) {
    this.revision = state.revision;
    this.nowMs = state.nowMs;
    this.all = state.entries;
    this.aliveNodes = state.aliveNodes;
  }

  get<T extends KubeObject>(kind: Kind<T>, namespace: string, name: string): DeepReadonly<T> | undefined {
    const key = { group: kind.group, resource: kind.plural, namespace, name };
    return this.entry(key)?.object as DeepReadonly<T> | undefined;
  }

  list<T extends KubeObject>(kind: Kind<T>, namespace?: string): Objects<T> {
    const entries = this.entries({ group: kind.group, resource: kind.plural }, namespace);
    return [...entries].map((entry) => entry.object as DeepReadonly<T>);
  }

  owned<T extends KubeObject>(kind: Kind<T>, ownerUid: string): Objects<T> {
    return this.list(kind).filter((object) => ownerUids(object).includes(ownerUid));
  }

  dependents(ownerUid: string): readonly Entry[] {
    return [...this.all.values()].filter(({ object }) => ownerUids(object).includes(ownerUid));
  }

  index<T extends KubeObject>(index: Index<T>, value: string): Objects<T> {
    return this.list(index.kind).filter((object) => index.keys(object).includes(value));
  }

  entry(key: ResourceKey): Entry | undefined {
    return this.all.get(registryKey(key));
  }

  *entries(resource?: { group: string; resource: string }, namespace?: string): Iterable<Entry> {
    for (const entry of this.all.values()) {
      const { key } = entry;
      if (resource && (key.group !== resource.group || key.resource !== resource.resource)) continue;
      if (namespace !== undefined && key.namespace !== namespace) continue;
      yield entry;
    }
  }

  alive(node: string): boolean {
    return this.aliveNodes.has(node);
  }
}

const ownerUids = (object: DeepReadonly<KubeObject>): string[] =>
  (object.metadata.ownerReferences ?? []).map(({ uid }) => uid);
