import type { ClusterState } from '../cluster-state.ts';

/**
 * Changes of one object by this server happen one after the other, each on the state that the one before it left. They
 * would conflict in etcd otherwise, all but one, again and again.
 */
export class Turns {
  private readonly cluster: ClusterState;
  /** The revision that the last of those who wait will leave, by object; 0 when it changes nothing. */
  private readonly last = new Map<string, Promise<number>>();

  constructor(cluster: ClusterState) {
    this.cluster = cluster;
  }

  /** Runs `change` when nobody else changes the object. How many may wait is for the adapters' limits to say. */
  async take<T extends { readonly revision: number }>(object: string, change: () => Promise<T>): Promise<T> {
    const before = this.last.get(object);
    const mine = Promise.withResolvers<number>();
    this.last.set(object, mine.promise);
    let revision = 0;
    try {
      if (before) await this.cluster.reach(await before);
      const result = await change();
      revision = result.revision;
      return result;
    } finally {
      mine.resolve(revision);
      if (this.last.get(object) === mine.promise) this.last.delete(object);
    }
  }
}
