import type { DynamicFilter } from '../plugin.ts';
import { ClaimPlanner, isPlan } from '../volumes/claim-planner.ts';

/**
 * Claims that are bound must reach the node; those that wait for their first consumer must be able to get a volume
 * there. https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode
 */
export const volumeBinding: DynamicFilter = {
  name: 'VolumeBinding',
  isLasting: true,
  wakesOn: ['NodeAdded', 'NodeLabels', 'VolumeChanged'],
  refusesAll({ claims }, { volumes }) {
    return claims && new ClaimPlanner(claims, volumes).obstacle;
  },
  prepare({ claims }, { volumes, nodes }) {
    if (!claims) return null;
    const planner = new ClaimPlanner(claims, volumes);
    return (slot) => {
      const plan = planner.plan(nodes[slot]!);
      return isPlan(plan) ? null : [plan];
    };
  },
  reaches: ({ claims }, { claim = null }) => claims !== null && (claim === null || claims.includes(claim)),
};
