import { createObject } from '../create-object.ts';
import { type Figure, figure } from '../figure.ts';
import { createPods } from '../pods.ts';
import { untilBound } from './bound.ts';
import { startSchedulerCluster } from './scheduler-cluster.ts';

const NODES = 5_000;
const GANGS = 10;
const PODS = 1_000;
const PODS_PER_SECOND = 1_000;

/** 10 gangs of 1,000 pods: from the first create until all are bound, each gang in one transaction of etcd. */
export async function gangs(): Promise<Figure[]> {
  await using cluster = await startSchedulerCluster(NODES);
  const etcd = cluster.etcd();
  const started = performance.now();
  for (let at = 0; at < GANGS; at += 1) {
    const podGroupName = `gang-${at}`;
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
  await untilBound(etcd, GANGS * PODS);
  const seconds = (performance.now() - started) / 1000;
  await etcd.close();
  const name = `scheduler, ${GANGS} gangs of ${PODS} pods on ${NODES} nodes`;
  return [figure(name, 'pods/s', [(GANGS * PODS) / seconds], { atLeast: PODS_PER_SECOND })];
}
