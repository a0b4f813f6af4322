import type { OptionalComponent } from '@periplus/supervisor';
import { startCluster, type TestCluster } from '@periplus/testing';
import { createObject } from './create-object.ts';

/** A cluster without these components, in whose default namespace pods may be created all the same. */
export async function startBareCluster(without: readonly OptionalComponent[]): Promise<TestCluster> {
  const cluster = await startCluster(0, without);
  // As its controller would.
  await createObject(cluster, '/api/v1/namespaces/default/serviceaccounts', {
    ...{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } },
  });
  return cluster;
}
