import type { TestCluster } from '@periplus/testing';
import { createObject } from '../create-object.ts';
import { type Figure, figure } from '../figure.ts';
import { createPods, deletePods } from '../pods.ts';
import { untilBound } from './bound.ts';
import { startSchedulerCluster } from './scheduler-cluster.ts';

const NODES = 5_000;
const GANGS = 10;
const PODS = 1_000;
/** The first meets processes that have just begun, whose code is not compiled yet. */
const RUNS = 3;
const PODS_PER_SECOND = 1_000;

/** 10 gangs of 1,000 pods: from the first create until all are bound, each gang in one transaction of etcd. */
export async function gangs(): Promise<Figure[]> {
  await using cluster = await startSchedulerCluster(NODES);
  const etcd = cluster.etcd();
  const perSecond: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const names = Array.from({ length: GANGS }, (_, at) => `gang-${run}-${at}`);
    const started = performance.now();
    for (const name of names) await createGang(cluster, name);
    await untilBound(etcd, GANGS * PODS);
    perSecond.push((1000 * GANGS * PODS) / (performance.now() - started));
    for (const name of names) await deletePods(cluster, PODS, name);
  }
  await etcd.close();
  const name = `scheduler, ${GANGS} gangs of ${PODS} pods on ${NODES} nodes`;
  return [figure(name, 'pods/s', perSecond, { atLeast: PODS_PER_SECOND })];
}

async function createGang(cluster: TestCluster, podGroupName: string): Promise<void> {
  await createObject(cluster, '/apis/scheduling.k8s.io/v1alpha2/namespaces/default/podgroups', {
    apiVersion: 'scheduling.k8s.io/v1alpha2',
    kind: 'PodGroup',
    metadata: { name: podGroupName },
    spec: { schedulingPolicy: { gang: { minCount: PODS } } },
  });
  await createPods(cluster, PODS, {
    prefix: podGroupName,
    template: { spec: { schedulingGroup: { podGroupName } } },
  });
}
