/**
 * The built-in controllers, a folder each; `builtin-controllers.ts` lists them. All of them are data and pure functions:
 * `simulation.ts` plays with them in memory.
 */
export { builtinControllers } from './builtin-controllers.ts';
export type { NodeMonitorSettings } from './node/node-controller.ts';
