/**
 * Which node a pod goes to. `scheduler.ts` listens and binds; `decide.ts` chooses among the nodes of `node-table.ts`
 * with the plugins of `profile.ts`; `scheduling-queue.ts` holds the pods that wait.
 */
export { type SchedulerMetrics, schedulerMetrics } from './metrics.ts';
export { SCHEDULER_NAME } from './profile.ts';
export { Scheduler, type SchedulerDeps } from './scheduler.ts';
