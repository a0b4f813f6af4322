import type { DynamicFilter } from '../plugin.ts';
import { ClaimPlanner, isPlan } from '../volumes/claim-planner.ts';

const prepare: DynamicFilter['prepare'] = (shape, { volumes, nodes }) => {
  if (!shape.claims) return null;
  const planner = new ClaimPlanner(shape, volumes);
  return (slot) => {
    const plan = planner.plan(nodes[slot]!);
    return isPlan(plan) ? null : [plan];
  };
};

/**
 * Claims that are bound must reach the node; those that wait for their first consumer must be able to get a volume
 * there. https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode
 */
export const volumeBinding: DynamicFilter = {
  name: 'VolumeBinding',
  wakesOn: ['NodeAdded', 'NodeLabels', 'VolumeChanged'],
  refusesAll(shape, { volumes }) {
    return shape.claims && new ClaimPlanner(shape, volumes).obstacle;
  },
  prepare,
  prepareLasting: prepare,
  reaches: ({ claims }, { claim = null }) => claims !== null && (claim === null || claims.includes(claim)),
};
