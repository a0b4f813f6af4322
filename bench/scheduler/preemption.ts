import { setTimeout as sleep } from 'node:timers/promises';
import { type EtcdClient, prefixEnd } from '@periplus/etcd';
import type { TestCluster } from '@periplus/testing';
import { createObject } from '../create-object.ts';
import { type Figure, figure } from '../figure.ts';
import type { Template } from '../pod.ts';
import { createPods } from '../pods.ts';
import { untilBound } from './bound.ts';
import { startSchedulerCluster } from './scheduler-cluster.ts';

const NODES = 5_000;
const LOW_PODS = 20_000;
const HIGH_PODS = 5_000;
const PODS_PER_SECOND = 700;
const POLL_MS = 250;
const MS_MAX = 600_000;
const INBOXES = '/periplus/nodes/';

/** As in scheduler_perf: four fill a node, one needs three of them gone. */
export const asking = (cpu: string, priorityClassName: string): Template => ({
  spec: {
    priorityClassName,
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'web', image: 'web', resources: { requests: { cpu, memory: '500Mi' } } }],
  },
});

/** 5,000 pods that each have three of 20,000 others leave: from the first create until the last is bound. */
export async function preemption(): Promise<Figure[]> {
  await using cluster = await startSchedulerCluster(NODES);
  const etcd = cluster.etcd();
  await createClass(cluster, 'low', 1);
  await createClass(cluster, 'high', 1_000);
  await createPods(cluster, LOW_PODS, { prefix: 'low', template: asking('900m', 'low') });
  await untilBound(etcd, LOW_PODS);
  const started = performance.now();
  await createPods(cluster, HIGH_PODS, { prefix: 'high', template: asking('3', 'high') });
  while ((await boundOf(etcd, 'high-')) < HIGH_PODS) {
    if (performance.now() - started > MS_MAX) throw new Error(`not all were bound in ${MS_MAX / 1000} s`);
    await sleep(POLL_MS);
  }
  const seconds = (performance.now() - started) / 1000;
  await etcd.close();
  const name = `scheduler, preemption, ${HIGH_PODS} pods over ${LOW_PODS} on ${NODES} nodes`;
  return [figure(name, 'pods/s', [HIGH_PODS / seconds], { atLeast: PODS_PER_SECOND })];
}

/** Others leave meanwhile, so that counting is not enough. */
async function boundOf(etcd: EtcdClient, prefix: string): Promise<number> {
  const { kvs } = await etcd.range({ key: INBOXES, rangeEnd: prefixEnd(INBOXES), keysOnly: true });
  return kvs.filter(({ key }) => key.slice(key.lastIndexOf('/') + 1).startsWith(prefix)).length;
}

const createClass = (cluster: TestCluster, name: string, value: number): Promise<void> =>
  createObject(cluster, '/apis/scheduling.k8s.io/v1/priorityclasses', {
    ...{ apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value },
  });
