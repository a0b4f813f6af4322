import type { Kind } from '@periplus/api';
import { notFound, parseVersion, versionOfRevision, WRITES_PER_REVISION_MAX } from '@periplus/apimachinery';
import { type Entry, endOf } from '@periplus/cache';
import { type ClusterState, namedResource, resourceOf } from '../cluster-state.ts';
import type { Item, ListOptions, ListResult, ObjectResult, Target } from '../types.ts';
import {
  ContinueExpired,
  type ContinueToken,
  goneRevision,
  readContinueToken,
  writeContinueToken,
} from './continue-token.ts';
import { becomesFresh } from './freshness.ts';
import { itemOf } from './items.ts';
import { checkListOptions, freshnessOf } from './list-options.ts';
import { pathOf, rolledBack } from './roll-back.ts';
import type { Selection } from './selection.ts';

/** What a read of one object answers with. */
export function objectResult(entry: Entry, kind: Kind): ObjectResult {
  const { bytes, object, resourceVersion } = itemOf(entry, kind);
  return { bytes, object, resourceVersion, revision: entry.revision, code: 200 };
}

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list */
export async function getObject(cluster: ClusterState, target: Target, resourceVersion: string): Promise<ObjectResult> {
  const { kind, namespace, name } = target;
  const wait = becomesFresh(cluster, freshnessOf({ resourceVersion }));
  if (wait) await wait;
  const entry = cluster.entry(kind, namespace, name);
  if (!entry) throw notFound(namedResource(kind), name);
  return objectResult(entry, kind);
}

/**
 * The entries of now that `selection` can only be among, in order, behind `after`. Reads of one name and of the pods
 * of a node do not look at all others.
 */
export function candidates(cluster: ClusterState, target: Target, selection: Selection, after = ''): readonly Entry[] {
  const { kind, namespace } = target;
  const { fields } = selection;
  const name = fields.exactValueOf('metadata.name');
  const place = namespace || fields.exactValueOf('metadata.namespace') || '';
  let few: (Entry | undefined)[] | undefined;
  if (name !== undefined && (place !== '' || !kind.namespaced)) {
    few = [cluster.entry(kind, place, name)];
  } else if (kind.group === '' && kind.plural === 'pods') {
    const node = fields.exactValueOf('spec.nodeName');
    if (node)
      few = cluster.podsOn(node).map(({ metadata }) => cluster.entry(kind, metadata.namespace!, metadata.name!));
  }
  if (few === undefined) return cluster.cache.list(resourceOf(kind), place, { after });
  const found = few.filter(
    (entry) => entry !== undefined && (place === '' || entry.key.namespace === place),
  ) as Entry[];
  return found.filter((entry) => pathOf(entry) > after).sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1));
}

/** What a list is taken from: entries in order, and the version that they stand for. */
interface Snapshot {
  entries: readonly Entry[];
  resourceVersion: string;
}

/** The entries as of a version that may be past; undefined when the way back there is forgotten. */
function snapshotAt(cluster: ClusterState, target: Target, version: string, after: string): Snapshot | undefined {
  const { kind, namespace } = target;
  const { revision, index } = parseVersion(version)!;
  const position = index < WRITES_PER_REVISION_MAX ? { revision, index } : endOf(revision);
  const later = cluster.cache.changesSince(resourceOf(kind), position);
  if (later === undefined) return undefined;
  const entries = rolledBack(cluster.cache.list(resourceOf(kind), namespace), later, namespace);
  return {
    entries: after === '' ? entries : entries.filter((entry) => pathOf(entry) > after),
    resourceVersion: version,
  };
}

async function snapshot(
  cluster: ClusterState,
  target: Target,
  selection: Selection,
  options: ListOptions,
  token: ContinueToken | null,
): Promise<Snapshot> {
  const after = token?.after ?? '';
  if (token !== null && token.revision !== null) {
    await cluster.reach(token.revision);
    const found = snapshotAt(cluster, target, versionOfRevision(token.revision), after);
    if (!found) throw new ContinueExpired(token);
    return found;
  }
  const freshness = token ? ({ at: 'newest' } as const) : freshnessOf(options);
  const wait = becomesFresh(cluster, freshness);
  if (wait) await wait;
  if (freshness.at === 'exactly') {
    const found = snapshotAt(cluster, target, options.resourceVersion!, after);
    if (!found) throw goneRevision();
    return found;
  }
  const entries = candidates(cluster, target, selection, after);
  return { entries, resourceVersion: versionOfRevision(cluster.cache.revision) };
}

/**
 * One list or one piece of it. The pieces of a list all show the cluster as it was at the first one.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
 */
export async function listObjects(
  cluster: ClusterState,
  target: Target,
  selection: Selection,
  options: ListOptions,
): Promise<ListResult> {
  checkListOptions(options);
  const token = options.continue ? readContinueToken(options.continue) : null;
  const { entries, resourceVersion } = await snapshot(cluster, target, selection, options, token);
  const { kind } = target;
  const limit = options.limit && options.limit > 0 ? options.limit : Number.POSITIVE_INFINITY;
  const items: Item[] = [];
  let bytes = 0;
  let at = 0;
  for (; at < entries.length && items.length < limit; at++) {
    const entry = entries[at]!;
    const item = itemOf(entry, kind);
    if (!selection.all && !selection.matches(item.object)) continue;
    items.push(item);
    if (!kind.storedAs) bytes += entry.bytes.length;
  }
  const isComplete = at >= entries.length;
  return {
    items,
    bytes: kind.storedAs ? undefined : bytes,
    resourceVersion,
    continue: isComplete ? '' : tokenBehind(entries[at - 1]!, resourceVersion),
    remainingItemCount: isComplete || !selection.all ? undefined : entries.length - at,
  };
}

const tokenBehind = (entry: Entry, resourceVersion: string): string =>
  writeContinueToken({ revision: parseVersion(resourceVersion)!.revision, after: pathOf(entry) });
