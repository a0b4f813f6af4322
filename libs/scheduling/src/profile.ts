import type { DynamicFilter, DynamicScore, StaticFilter, StaticScore } from './plugin.ts';
import { nodeAffinity, preferredNodeAffinity } from './plugins/node-affinity.ts';
import { nodeName } from './plugins/node-name.ts';
import { nodePorts } from './plugins/node-ports.ts';
import { leastAllocated, nodeResourcesFit } from './plugins/node-resources-fit.ts';
import { nodeUnschedulable } from './plugins/node-unschedulable.ts';
import { preferredTaints, taintToleration } from './plugins/taint-toleration.ts';

/** The plugins of the default scheduler, in the order in which they are asked. */
export const staticFilters: readonly StaticFilter[] = [nodeUnschedulable, nodeName, taintToleration, nodeAffinity];
export const dynamicFilters: readonly DynamicFilter[] = [nodePorts, nodeResourcesFit];
export const staticScores: readonly StaticScore[] = [preferredTaints, preferredNodeAffinity];
export const dynamicScores: readonly DynamicScore[] = [leastAllocated];

export const SCHEDULER_NAME = 'default-scheduler';
