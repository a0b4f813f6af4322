/**
 * A resourceVersion is `revision * 4096 + index`: etcd's mod_revision and the write's place in its
 * transaction. All numbers stay below 2^53, which leaves room for two trillion revisions.
 */
const PLACES = 4_096;
/** The place that lists and bookmarks of a revision use: behind every write of it. */
export const REVISION_END = PLACES - 1;
/** Writes of one transaction take the places from 0 on, up to that one. */
export const WRITES_PER_REVISION_MAX = PLACES - 1;

export const versionOfWrite = (revision: number, index: number): string => String(revision * PLACES + index);

/** The version of a list or bookmark that has seen all of `revision`. */
export const versionOfRevision = (revision: number): string => String(revision * PLACES + REVISION_END);

/** Returns undefined when `version` is not a decimal that this server can have issued. */
export function parseVersion(version: string): { revision: number; index: number } | undefined {
  if (!/^(0|[1-9][0-9]{0,15})$/.test(version)) return undefined;
  const value = Number(version);
  if (!Number.isSafeInteger(value)) return undefined;
  return { revision: Math.floor(value / PLACES), index: value % PLACES };
}
