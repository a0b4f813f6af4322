/**
 * Which node a pod goes to. `scheduler.ts` takes one pod after the other from the queue (`scheduling-queue.ts`) and tries
 * to place it (`pod-attempts.ts`); `cluster-observer.ts` follows the cache, so that the queue holds the pods that wait
 * and `cluster-picture.ts` what decisions look at; `bindings.ts` has come true what was decided.
 * `decide.ts` chooses among the nodes with the plugins of a `profile.ts`, each in a file of `plugins/` and listed in
 * `plugin-catalog.ts`; `configuration.ts` reads other profiles than the default one (`plugin-sets.ts`: which plugins have
 * a say where, `plugin-args.ts`: what they are told); `preemption/` makes room for those who are more important,
 * `gangs/` places pods that go together, `devices/` finds devices for the claims of pods (`allocator.ts`, on its own) and
 * writes them there before a pod is bound, `volumes/` does as much for volumes, `explanation/` tells what the plugins make
 * of a pod in a cluster as it was read.
 *
 * What they look at is kept up to date as events come: `node-table.ts` (what nodes have and what of it is taken),
 * `tallies.ts` (how many pods of which sort are in which domain of a topology), `image-table.ts` and
 * `workload-selectors.ts`. Of a pod nothing is kept but its shape (`pod-shape.ts`), shared by all that are alike.
 */

export { SCHEDULER_RESOURCES } from './cluster-picture.ts';
export type { SchedulerSettings } from './configuration.ts';
export { configuredScheduler } from './configured-scheduler.ts';
export { type Explanation, explain } from './explanation/explain.ts';
export { type SchedulerMetrics, schedulerMetrics } from './metrics.ts';
export { DEFAULT_PROFILE, type Profile, SCHEDULER_NAME } from './profile.ts';
export { Scheduler, type SchedulerDeps } from './scheduler.ts';
