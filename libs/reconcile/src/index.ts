/**
 * The controller runtime. A controller is data (`types.ts`, `define-controller.ts`); `ControllerRuntime` feeds it keys
 * from the cache and sends its plans; `lead` runs something while this process holds an election's lease.
 */

export { type Clock, systemClock } from './clock.ts';
export { defineController, idle, watchRule } from './define-controller.ts';
export { DelayQueue } from './delay-queue.ts';
export { type ElectionDeps, lead } from './leader-election.ts';
export { MemoryCluster } from './memory-cluster.ts';
export { MemoryView } from './memory-view.ts';
export { mentions } from './mentions.ts';
export { type ProcessIdentity, thisProcess } from './process-identity.ts';
export { ControllerRuntime, type RuntimeDeps, runWhile } from './runtime.ts';
export type {
  ClusterSource,
  Controller,
  ObjectRef,
  Plan,
  PlannedEvent,
  Refusal,
  WatchRule,
} from './types.ts';
export { WorkQueue } from './work-queue.ts';
