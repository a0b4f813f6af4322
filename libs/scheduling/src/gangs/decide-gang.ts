import type { Decision, Refusal } from '../decide.ts';
import { supposeDevices } from '../devices/device-planner.ts';
import type { NodeTable } from '../node-table.ts';
import type { Placement, PodInfo } from '../pod-info.ts';
import type { Group } from './pod-groups.ts';

/** What became of the pods of a gang, together. */
export interface GangDecision {
  /** None, or at least as many as were needed; these count on their nodes. */
  readonly placements: readonly Placement[];
  /** How many found a node, before that turned out to be too few. */
  readonly found: number;
  /** The first that fits nowhere, and why; null when all fit. */
  readonly refused: { readonly pod: PodInfo; readonly refusal: Refusal } | null;
}

/** Why the gang has no nodes; null when it has. */
export function gangRefusal({ name, needed }: Group, { found, refused, placements }: GangDecision): string | null {
  if (placements.length > 0 || !refused) return null;
  return `${refused.refusal.message} pod group ${name} needs nodes for ${needed} pods at once, ${found} have one.`;
}

/**
 * Finds nodes for the pods, each beside those before it. With fewer than `needed` of them, or none, nobody stays on a
 * node.
 */
export function decideGang(
  pods: readonly PodInfo[],
  needed: number,
  table: NodeTable,
  decide: (pod: PodInfo) => Decision,
): GangDecision {
  const placements: Placement[] = [];
  let refused: GangDecision['refused'] = null;
  let refusals = 0;
  const { devices } = table;
  for (const pod of pods) {
    if (pods.length - refusals < needed) break;
    const decision = decide(pod);
    if (decision.node !== null) {
      table.place(pod.uid, pod.shape, decision.node);
      if (pod.shape.devices) supposeDevices(pod.shape.devices, table.nodes[table.slot(decision.node)!]!, devices);
      placements.push({ pod, node: decision.node });
      continue;
    }
    refused ??= { pod, refusal: decision };
    refusals += 1;
  }
  devices.forget();
  const found = placements.length;
  if (found > 0 && found >= needed) return { placements, found, refused };
  for (const { pod } of placements) table.displace(pod.uid);
  return { placements: [], found, refused };
}
