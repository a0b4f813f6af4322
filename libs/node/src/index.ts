/**
 * The life of a node and its pods. `pod/` decides (pure), `agent/` acts through the runtime, `volumes/`, `probes/` and
 * `logs/` are what pods need besides; `hollow/` plays nodes that run nothing.
 */
export { NodeAgent, type NodeAgentDeps, type NodeAgentOptions } from './agent/node-agent.ts';
