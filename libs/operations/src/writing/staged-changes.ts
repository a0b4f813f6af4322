import { type Companion, resourcePath, type Write, WriteConflict } from '@periplus/store';
import { ClusterState } from '../cluster-state.ts';
import type { ObjectResult } from '../types.ts';
import { uncommitted, writeOf } from './committer.ts';
import type { DecidedChange } from './decided-change.ts';
import { addressChanges } from './service-addresses.ts';
import { StagedCache } from './staged-cache.ts';

/** A change of a transaction, as decided. */
export interface StagedChange {
  readonly change: DecidedChange;
  /** The change's own comes first, then what is written beside it. */
  readonly writes: readonly Write[];
}

/** Takes the changes of a transaction in place of a Committer, and shows each to those that come after it. */
export class StagedChanges {
  /** The cluster as the transaction sees it. */
  readonly cluster: ClusterState;
  /** In the order of their coming. */
  readonly changes: StagedChange[] = [];
  private readonly cache: StagedCache;
  /** What is written: paths of objects and of companions. */
  private readonly paths = new Set<string>();

  constructor(cluster: ClusterState) {
    this.cache = new StagedCache(cluster.cache);
    this.cluster = new ClusterState(this.cache);
  }

  /** Rejects with WriteConflict, as the commit would, when an allocation or object is known to be taken. */
  async commit(change: DecidedChange): Promise<ObjectResult> {
    const all = [change, ...addressChanges(this.cluster, change)];
    const writes = all.map(writeOf);
    const taken = writes.flatMap(({ companions }) => companions).find((companion) => this.isTaken(companion));
    if (taken) throw new WriteConflict(this.cache.revision, taken.path);
    if (writes.some(({ key }) => this.paths.has(resourcePath(key)))) throw new WriteConflict(this.cache.revision, null);
    writes.forEach(({ key, companions, provenance }, at) => {
      for (const path of [resourcePath(key), ...companions.map((companion) => companion.path)]) this.paths.add(path);
      this.cache.stage(key, all[at]!.old, all[at]!.object, provenance);
    });
    this.changes.push({ change, writes });
    return uncommitted(change);
  }

  /** A key is written once in a transaction: what one change lets go, no other can take. */
  private isTaken(companion: Companion): boolean {
    if (this.paths.has(companion.path)) return true;
    return 'ifAbsent' in companion && this.cluster.isAllocated(companion.path);
  }
}
