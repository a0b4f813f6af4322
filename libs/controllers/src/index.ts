/**
 * The built-in controllers, a folder each. All of them are data and pure functions: `simulation.ts` plays with them in
 * memory.
 */
export { deploymentController } from './deployment/deployment-controller.ts';
export { replicaSetController } from './replica-set/replica-set-controller.ts';
