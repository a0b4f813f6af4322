import type { KeyValue, RevisionBatch } from '@periplus/etcd';
import type { Keys } from '@periplus/store';
import type { Follower } from './follow.ts';

export type LivenessListener = (node: string, alive: boolean, revision: number) => void;

/** The nodes whose liveness key stands: etcd takes it away when the lease of a node ends. */
export class Liveness implements Follower {
  readonly #keys: Keys;
  readonly #nodes = new Set<string>();
  readonly #listeners = new Set<LivenessListener>();

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  alive(node: string): boolean {
    return this.#nodes.has(node);
  }

  subscribe(listener: LivenessListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  list(): ReturnType<Follower['list']> {
    const listed = new Set<string>();
    return {
      page: (kvs: readonly KeyValue[]) => {
        for (const { key } of kvs) {
          const node = this.#keys.parseLiveness(key);
          if (node !== undefined) listed.add(node);
        }
      },
      finish: (revision) => {
        for (const node of [...this.#nodes]) if (!listed.has(node)) this.#set(node, false, revision);
        for (const node of listed) this.#set(node, true, revision);
      },
    };
  }

  apply({ revision, events }: RevisionBatch): void {
    for (const { type, kv } of events) {
      const node = this.#keys.parseLiveness(kv.key);
      if (node !== undefined) this.#set(node, type === 'put', revision);
    }
  }

  progressed(): void {}

  #set(node: string, alive: boolean, revision: number): void {
    if (this.#nodes.has(node) === alive) return;
    if (alive) this.#nodes.add(node);
    else this.#nodes.delete(node);
    for (const listener of this.#listeners) listener(node, alive, revision);
  }
}
