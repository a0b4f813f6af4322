import { type DeviceLimits, DevicePlanner, isDevicePlan } from '../devices/device-planner.ts';
import type { NodeTable } from '../node-table.ts';
import type { DynamicFilter, DynamicScore } from '../plugin.ts';
import type { PodShape } from '../pod-shape.ts';

export const DYNAMIC_RESOURCES = 'DynamicResources';

const plannerOf = ({ devices }: PodShape, table: NodeTable, limits: DeviceLimits): DevicePlanner | null =>
  devices && new DevicePlanner(devices, table.devices, limits);

/**
 * Claims that have devices must be usable on the node; for others there must be devices that it reaches.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/
 */
export function dynamicResources(limits: DeviceLimits): DynamicFilter {
  const prepare: DynamicFilter['prepare'] = (shape, table) => {
    const planner = plannerOf(shape, table, limits);
    if (planner === null) return null;
    return (slot) => {
      const plan = planner.plan(table.nodes[slot]!);
      return isDevicePlan(plan) ? null : [plan];
    };
  };
  return {
    name: DYNAMIC_RESOURCES,
    wakesOn: ['NodeAdded', 'NodeLabels', 'DevicesChanged'],
    refusesAll: (shape, table) => plannerOf(shape, table, limits)?.obstacle ?? null,
    prepare,
    prepareLasting: prepare,
    /** Where it is one node that has other devices, that is asked. */
    reaches: ({ devices }, { node, claim = null }) =>
      devices !== null && node === '' && (claim === null || devices.claims.some(({ key }) => key === claim)),
  };
}

/** Prefers nodes where earlier alternatives of requests can be had. */
export const preferredAlternatives = (limits: DeviceLimits): DynamicScore => ({
  name: DYNAMIC_RESOURCES,
  score(shape, table, slots, count, scores) {
    const planner = plannerOf(shape, table, limits);
    if (!planner?.hasAlternatives) return false;
    let highest = 0;
    for (let at = 0; at < count; at += 1) {
      scores[at] = planner.preference(table.nodes[slots[at]!]!);
      highest = Math.max(highest, scores[at]!);
    }
    if (highest === 0) return false;
    for (let at = 0; at < count; at += 1) scores[at] = Math.floor((scores[at]! * 100) / highest);
    return true;
  },
});
