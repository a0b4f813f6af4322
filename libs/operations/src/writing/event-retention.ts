import { randomUUID } from 'node:crypto';
import { coreEvent, namespace } from '@periplus/api';
import type { Change, Entry } from '@periplus/cache';
import { type Store, WriteConflict } from '@periplus/store';
import { type ClusterState, resourceOf } from '../cluster-state.ts';
import type { Target } from '../types.ts';

/** As kube-apiserver's `--event-ttl`. */
const EVENT_LIFE_MS = 3_600_000;
const SWEEP_INTERVAL_MS = 60_000;
/** Removals of one sweep; what is left waits for the next. */
const REMOVALS_MAX = 5_000;
/** At a time: a transaction's worth. */
const PARALLEL_MAX = 64;

const EVENTS = resourceOf(coreEvent as unknown as Target['kind']);
const NAMESPACES = resourceOf(namespace as unknown as Target['kind']);

async function remove(store: Store, entry: Entry, nowMs: number): Promise<void> {
  try {
    await store.commit({
      ...{ key: entry.key, object: null, confidential: [], ifRevision: entry.revision, companions: [] },
      provenance: { actor: 'system:apiserver', verb: 'delete', timeMs: nowMs, requestId: randomUUID(), cause: null },
    });
  } catch (error) {
    // Somebody has written or removed it meanwhile.
    if (!(error instanceof WriteConflict)) throw error;
  }
}

/** Removes Events an hour after they were last written, and those of namespaces that are gone. */
export async function removeEvents(cluster: ClusterState, store: Store, nowMs: number): Promise<void> {
  const namespaces = new Set(cluster.cache.list(NAMESPACES).map(({ key }) => key.name));
  const over: Entry[] = [];
  for (const entry of cluster.cache.list(EVENTS)) {
    const isOld = nowMs - entry.provenance.timeMs > EVENT_LIFE_MS;
    if (isOld || !namespaces.has(entry.key.namespace)) over.push(entry);
    if (over.length === REMOVALS_MAX) break;
  }
  const remaining = over.values();
  const worker = async (): Promise<void> => {
    for (const entry of remaining) await remove(store, entry, nowMs);
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL_MAX, over.length) }, worker));
}

const endsNamespace = ({ type, entry: { key } }: Change): boolean =>
  type === 'deleted' && key.resource === NAMESPACES.resource && key.group === NAMESPACES.group;

/**
 * Removes Events whose time is over, until it is stopped. They would fill the cluster otherwise; and since they go with
 * their namespace here, no controller needs to know them. All api-servers do it: who comes second finds nothing left. A
 * sweep that fails leaves its work to the next.
 */
export function keepEventsShort(cluster: ClusterState, store: Store): () => void {
  let isSweeping = false;
  let isWanted = false;
  const sweep = async (): Promise<void> => {
    isWanted = true;
    if (isSweeping) return;
    isSweeping = true;
    while (isWanted) {
      isWanted = false;
      await removeEvents(cluster, store, Date.now()).catch(() => undefined);
    }
    isSweeping = false;
  };
  const timer = setInterval(() => void sweep(), SWEEP_INTERVAL_MS).unref();
  const unsubscribe = cluster.cache.subscribe((_, changes) => {
    if (changes.some(endsNamespace)) void sweep();
  });
  return () => {
    clearInterval(timer);
    unsubscribe();
  };
}
