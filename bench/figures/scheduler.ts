import { type Figure, figure } from '../figure.ts';
import { createPods, deletePods } from '../pods.ts';
import { untilBound } from '../scheduler/bound.ts';
import { gangs } from '../scheduler/gangs.ts';
import { preemption } from '../scheduler/preemption.ts';
import { startSchedulerCluster } from '../scheduler/scheduler-cluster.ts';
import { nodeLabels, SHAPES, type Shape } from '../scheduler/shapes.ts';

const NODES = 5_000;
/** The first meets processes that have just begun, whose code is not compiled yet. */
const RUNS = 3;

/** The cases of Kubernetes' scheduler_perf by name, `scheduler/<case>`: each on a cluster of its own. */
export const scheduler: Record<string, () => Promise<Figure[]>> = {
  ...Object.fromEntries(SHAPES.map((shape) => [`scheduler/${shape.name}`, () => boundPerSecond(shape)])),
  'scheduler/preemption': preemption,
  'scheduler/gangs': gangs,
};

/** End to end: from the first create, as by a controller, until etcd holds the last binding. */
async function boundPerSecond(shape: Shape): Promise<Figure[]> {
  await using cluster = await startSchedulerCluster(NODES, (at) => nodeLabels(shape, at));
  const etcd = cluster.etcd();
  let bound = 0;
  for (const [at, { pods, template }] of shape.before.entries()) {
    await createPods(cluster, pods, { prefix: `before-${at}`, template });
    bound += pods;
    await untilBound(etcd, bound);
  }
  const perSecond: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const prefix = `run-${run}`;
    const started = performance.now();
    await createPods(cluster, shape.pods, { prefix, template: shape.template });
    await untilBound(etcd, bound + shape.pods);
    perSecond.push((1000 * shape.pods) / (performance.now() - started));
    await deletePods(cluster, shape.pods, prefix);
  }
  await etcd.close();
  const name = `scheduler, ${shape.name}, ${shape.pods} pods on ${NODES} nodes`;
  return [figure(name, 'pods/s', perSecond, { atLeast: shape.bar })];
}
