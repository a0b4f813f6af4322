import { matchesNodeSelector, matchesRequired, preferredWeight } from '@periplus/api';
import type { StaticFilter, StaticScore } from '../plugin.ts';

/** nodeSelector and required node affinity. */
export const nodeAffinity: StaticFilter = {
  name: 'NodeAffinity',
  wakesOn: ['NodeAdded', 'NodeLabels'],
  filter: ({ nodeSelector, nodeAffinity }, node) =>
    matchesNodeSelector(nodeSelector, node) && matchesRequired(nodeAffinity, node)
      ? null
      : "node(s) didn't match Pod's node affinity/selector",
};

/** Preferred node affinity: the weights of the preferences that the node meets. */
export const preferredNodeAffinity: StaticScore = {
  name: 'NodeAffinity',
  weight: 2,
  score: ({ nodeAffinity }, node) => preferredWeight(nodeAffinity, node),
};
