import { randomInt } from 'node:crypto';
import { StatusError, WRITES_PER_REVISION_MAX } from '@periplus/apimachinery';
import { endOf, type Version } from '@periplus/cache';
import type { ClusterState } from '../cluster-state.ts';
import { becomesFresh } from '../reading/freshness.ts';
import { itemOf } from '../reading/items.ts';
import { checkWatchOptions, freshnessOf, versionOf } from '../reading/list-options.ts';
import { candidates } from '../reading/read.ts';
import type { Selection } from '../reading/selection.ts';
import type { Target, Watch, WatchEncoding, WatchOptions, WatchSink } from '../types.ts';
import type { WatchFanOut } from './fan-out.ts';
import type { WatchStart } from './watcher.ts';

/** Watches end by themselves after this time and up to as long again, so that they do not all come back at once. */
const TIMEOUT_SECONDS_MIN = 1_800;
const TIMEOUT_SECONDS_MAX = 2 ** 31 / 1000 - 1;

const ENDED: Watch = { drained: () => undefined, stop: () => undefined };

function timeoutMs({ timeoutSeconds }: WatchOptions): number {
  if (timeoutSeconds && timeoutSeconds > 0) return Math.min(timeoutSeconds, TIMEOUT_SECONDS_MAX) * 1000;
  return (TIMEOUT_SECONDS_MIN + randomInt(TIMEOUT_SECONDS_MIN)) * 1000;
}

/** Everything that is selected now, then what happens from now on. */
function fromNow(
  cluster: ClusterState,
  target: Target,
  selection: Selection,
  withObjects: boolean,
): WatchStart['initial'] {
  if (!withObjects) return [];
  const all = candidates(cluster, target, selection);
  return selection.all ? all : all.filter((entry) => selection.matches(itemOf(entry, target.kind).object));
}

/** Where a watch begins. https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-watch */
async function startOf(
  cluster: ClusterState,
  target: Target,
  selection: Selection,
  options: WatchOptions,
): Promise<WatchStart> {
  const { resourceVersion = '', sendInitialEvents, allowWatchBookmarks = false } = options;
  const isFromVersion = resourceVersion !== '' && resourceVersion !== '0' && sendInitialEvents !== true;
  // Also from one that is yet to come: until then there is nothing to tell, as in kube-apiserver.
  if (isFromVersion) return { position: positionOf(resourceVersion), initial: [], marksEnd: false };
  const wait = becomesFresh(cluster, freshnessOf({ resourceVersion }));
  if (wait) await wait;
  return {
    position: endOf(cluster.cache.revision),
    initial: fromNow(cluster, target, selection, sendInitialEvents !== false),
    marksEnd: sendInitialEvents === true && allowWatchBookmarks,
  };
}

function positionOf(resourceVersion: string): Version {
  const { revision, index } = versionOf(resourceVersion);
  return index < WRITES_PER_REVISION_MAX ? { revision, index } : endOf(revision);
}

/**
 * Opens a watch. What is wrong with the request rejects; once it is understood, errors end the watch through its sink,
 * as in kube-apiserver, whose clients know what to do with them there.
 */
export async function openWatch(
  deps: { cluster: ClusterState; fanOut: WatchFanOut },
  target: Target,
  selection: Selection,
  options: WatchOptions,
  encoding: WatchEncoding,
  sink: WatchSink,
): Promise<Watch> {
  checkWatchOptions(options);
  freshnessOf(options);
  let start: WatchStart;
  try {
    start = await startOf(deps.cluster, target, selection, options);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    // In a later turn: the adapter first learns that the watch stands.
    setImmediate(() => sink.end(error));
    return ENDED;
  }
  const { kind, namespace } = target;
  const subject = { kind, namespace, selection, encoding, bookmarks: options.allowWatchBookmarks ?? false };
  return deps.fanOut.open(subject, start, sink, timeoutMs(options));
}
