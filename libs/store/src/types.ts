import type { JsonObject, ResourceKey } from '@periplus/apimachinery';

export interface Cause {
  /** "<group|core>/<resource>/[<namespace>/]<name>". */
  key: string;
  resourceVersion: string;
  /** "controller-manager/replicaset". */
  reconciler: string;
}

/** Who did it, when and why: stored with every change. */
export interface Provenance {
  actor: string;
  verb: string;
  timeMs: number;
  /** Unique per write. */
  requestId: string;
  cause: Cause | null;
}

/** A key beside the object that changes with it, in the same transaction. Paths are relative to the prefix. */
export type Companion =
  /** The same record again: a node's inbox. */
  | { path: string; put: 'record' }
  /** Refused with the whole write when the path exists already: an allocation. */
  | { path: string; put: Buffer; ifAbsent: true }
  | { path: string; delete: true };

/** One change of one object, all or nothing. */
export interface Write {
  key: ResourceKey;
  /** The new state without metadata.resourceVersion, or null to delete (which leaves a tombstone). */
  object: JsonObject | null;
  /** Members of `object` to seal at rest: top-level ones, and `metadata.annotations`. */
  confidential: readonly string[];
  /** The mod_revision that is replaced; 0: the object must not exist. */
  ifRevision: number;
  companions: readonly Companion[];
  provenance: Provenance;
}

/** Several changes, all or nothing and at one revision, each of another object. */
export interface Transaction {
  /** 1 to 4095. */
  writes: readonly Write[];
  /** Objects that must stand at these mod_revisions when it happens, and are not written. */
  standing: readonly { key: ResourceKey; revision: number }[];
}

export interface Committed {
  revision: number;
  index: number;
  resourceVersion: string;
  /** Makes the object's JSON with its resourceVersion; null for a deletion. Few who command ask for it. */
  bytes(): Buffer | null;
}

/** The writing half. Only the api-server has one. */
export interface Store {
  /**
   * Resolves once etcd has acknowledged, rejects with WriteConflict or StatusError. Concurrent commits share
   * etcd transactions. Never rejects for a write that may have happened (exceptions: `GroupCommit`): where the
   * answer was lost, the log says whether it did.
   */
  commit(write: Write): Promise<Committed>;
  /**
   * The same for a transaction; resolves with what became of its writes, in their order and at places that follow one
   * another. Rejects with RequestEntityTooLarge for more than etcd takes: its `--max-txn-ops` less two (128 by default)
   * for compares or operations, and its `--max-request-bytes` (1.5 MiB by default).
   */
  commitAll(transaction: Transaction): Promise<Committed[]>;
  close(): Promise<void>;
}

/** An object as read from etcd. */
export interface StoredObject {
  key: ResourceKey;
  revision: number;
  createRevision: number;
  index: number;
  resourceVersion: string;
  /** Final JSON with resourceVersion; sealed members are missing when there was no key to open them. */
  bytes: Buffer;
  provenance: Provenance;
}
