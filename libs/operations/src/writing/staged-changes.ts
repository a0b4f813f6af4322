import { type Companion, type Write, WriteConflict } from '@periplus/store';
import { ClusterState } from '../cluster-state.ts';
import type { ObjectResult } from '../types.ts';
import { type DecidedChange, uncommitted, writeOf } from './committer.ts';
import { StagedCache } from './staged-cache.ts';

/** A change of a transaction, as decided. */
export interface StagedChange {
  readonly change: DecidedChange;
  readonly write: Write;
}

/** Takes the changes of a transaction in place of a Committer, and shows each to those that come after it. */
export class StagedChanges {
  /** The cluster as the transaction sees it. */
  readonly cluster: ClusterState;
  /** In the order of their coming. */
  readonly changes: StagedChange[] = [];
  private readonly cache: StagedCache;
  private readonly companions = new Set<string>();

  constructor(cluster: ClusterState) {
    this.cache = new StagedCache(cluster.cache);
    this.cluster = new ClusterState(this.cache);
  }

  /** Rejects with WriteConflict, as the commit would, when an allocation is known to be taken. */
  async commit(change: DecidedChange): Promise<ObjectResult> {
    const write = writeOf(change);
    const taken = write.companions.find((companion) => this.isTaken(companion));
    if (taken) throw new WriteConflict(this.cache.revision, taken.path);
    for (const { path } of write.companions) this.companions.add(path);
    this.changes.push({ change, write });
    this.cache.stage(write.key, change.old, change.object, write.provenance);
    return uncommitted(change);
  }

  /** A key is written once in a transaction: what one change lets go, no other can take. */
  private isTaken(companion: Companion): boolean {
    if (this.companions.has(companion.path)) return true;
    return 'ifAbsent' in companion && this.cluster.isAllocated(companion.path);
  }
}
