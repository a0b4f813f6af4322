import { type Figure, figure } from '../figure.ts';
import { createPods } from '../pods.ts';
import { untilBound } from '../scheduler/bound.ts';
import { gangs } from '../scheduler/gangs.ts';
import { preemption } from '../scheduler/preemption.ts';
import { startSchedulerCluster } from '../scheduler/scheduler-cluster.ts';
import { nodeLabels, SHAPES, type Shape } from '../scheduler/shapes.ts';

const NODES = 5_000;

/** The cases of Kubernetes' scheduler_perf by name, `scheduler/<case>`: each on a cluster of its own. */
export const scheduler: Record<string, () => Promise<Figure[]>> = {
  ...Object.fromEntries(SHAPES.map((shape) => [`scheduler/${shape.name}`, () => boundPerSecond(shape)])),
  'scheduler/preemption': preemption,
  'scheduler/gangs': gangs,
};

/** End to end: from the first create until etcd holds the last binding. */
async function boundPerSecond(shape: Shape): Promise<Figure[]> {
  await using cluster = await startSchedulerCluster(NODES, (at) => nodeLabels(shape, at));
  const etcd = cluster.etcd();
  let bound = 0;
  for (const [at, { pods, template }] of shape.before.entries()) {
    await createPods(cluster, pods, { prefix: `before-${at}`, template });
    bound += pods;
    await untilBound(etcd, bound);
  }
  const started = performance.now();
  await createPods(cluster, shape.pods, { template: shape.template });
  await untilBound(etcd, bound + shape.pods);
  const seconds = (performance.now() - started) / 1000;
  await etcd.close();
  const name = `scheduler, ${shape.name}, ${shape.pods} pods on ${NODES} nodes`;
  return [figure(name, 'pods/s', [shape.pods / seconds], { atLeast: shape.bar })];
}
