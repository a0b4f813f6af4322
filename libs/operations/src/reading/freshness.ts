import { versionOfRevision, versionOfWrite } from '@periplus/apimachinery';
import type { ClusterState } from '../cluster-state.ts';
import { type Freshness, tooLargeVersion } from './list-options.ts';

/** How long a read waits for a version that the cluster has not reached; as kube-apiserver. */
const VERSION_WAIT_MS_MAX = 3_000;

/** Resolves when the cache may answer. Rejects with Timeout when it does not get to the version that was asked for. */
export function becomesFresh(cluster: ClusterState, freshness: Freshness): Promise<void> | undefined {
  switch (freshness.at) {
    case 'any':
      return undefined;
    case 'newest':
      return cluster.refresh();
    default:
      return cluster.cache.revision >= freshness.revision ? undefined : reaches(cluster, freshness);
  }
}

async function reaches(cluster: ClusterState, { revision, index }: { revision: number; index: number }): Promise<void> {
  if (await cluster.reachesWithin(revision, VERSION_WAIT_MS_MAX)) return;
  throw tooLargeVersion(versionOfWrite(revision, index), versionOfRevision(cluster.cache.revision));
}
