/** The controller runtime. `types.ts` is the contract. */
export type { Controller, ObjectRef, Plan, PlannedEvent, WatchRule } from './types.ts';
