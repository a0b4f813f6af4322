import { matchesNodeAffinity, preferredAffinity } from '../node-affinity.ts';
import type { StaticFilter, StaticScore } from '../plugin.ts';

/** nodeSelector and required node affinity. */
export const nodeAffinity: StaticFilter = {
  name: 'NodeAffinity',
  wakesOn: ['NodeAdded', 'NodeLabels'],
  filter: ({ pod }, node) =>
    matchesNodeAffinity(pod, node) ? null : "node(s) didn't match Pod's node affinity/selector",
};

/** Preferred node affinity: the weights of the preferences that the node meets. */
export const preferredNodeAffinity: StaticScore = {
  name: 'NodeAffinity',
  weight: 2,
  score: ({ pod }, node) => preferredAffinity(pod, node),
};
