import { randomUUID } from 'node:crypto';
import type { Change, ClusterCache } from '@periplus/cache';
import type { EtcdClient } from '@periplus/etcd';
import { decodeRecord, Keys, type Write } from '@periplus/store';
import { expect } from 'vitest';

export const keys = new Keys('/mirror');
export const pods = { group: '', resource: 'pods' };
export const silent = { info: () => {}, warn: () => {}, error: () => {} };

export const writeOf = (name: string, object: Write['object'], ifRevision: number): Write => ({
  key: { ...pods, namespace: 'default', name },
  ...{ object, ifRevision, confidential: [], companions: [] },
  provenance: { actor: 'me', verb: object ? 'update' : 'delete', timeMs: 1, requestId: randomUUID(), cause: null },
});

export const podOf = (name: string, spec: { [name: string]: string } = {}): NonNullable<Write['object']> => ({
  ...{ kind: 'Pod', apiVersion: 'v1', metadata: { name, namespace: 'default' }, spec },
});

/** Follows a cache through its changes alone, and checks on the way that they fit together. */
export class Follower {
  readonly changes: Change[] = [];
  readonly #versions = new Map<string, string>();
  #revision = 0;

  constructor(cache: ClusterCache) {
    for (const { key, resourceVersion } of cache.list(pods)) this.#versions.set(key.name, resourceVersion);
    cache.subscribe((revision, changes) => {
      expect(revision).toBe(cache.revision);
      expect(revision).toBeGreaterThan(this.#revision);
      this.#revision = revision;
      for (const change of changes) this.#take(change);
    });
  }

  get versions(): [name: string, version: string][] {
    return [...this.#versions].sort();
  }

  #take(change: Change): void {
    const { type, entry, previous } = change;
    expect(this.#versions.get(entry.key.name)).toBe(previous?.resourceVersion);
    if (type === 'deleted') this.#versions.delete(entry.key.name);
    else this.#versions.set(entry.key.name, entry.resourceVersion);
    this.changes.push(change);
  }
}

/** What etcd holds now, and at which revision. */
export async function stored(etcd: EtcdClient): Promise<{ revision: number; versions: [string, string][] }> {
  const { revision, kvs } = await etcd.range(keys.registryRange());
  const records = kvs.map((kv) => decodeRecord(kv, keys, null));
  return { revision, versions: records.map(({ key, resourceVersion }) => [key.name, resourceVersion]) };
}
