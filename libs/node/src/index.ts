/**
 * The life of a node and its pods. `pod/` decides (pure), `agent/` acts through the runtime, `volumes/`, `probes/` and
 * `logs/` are what pods need besides; `hollow/` plays nodes that run nothing.
 */
export { NodeAgent, type NodeAgentDeps, type NodeAgentOptions } from './agent/node-agent.ts';
export { HOLLOW_NODES_MAX, type HollowDeps, HollowNodes, type HollowOptions } from './hollow/hollow-nodes.ts';
export type { StageDelays } from './hollow/stages.ts';
export { parseTaint } from './taint.ts';
