import { matchesNodeSelector, matchesRequired, type NodeAffinity, preferredWeight } from '@periplus/api';
import type { StaticFilter, StaticScore } from '../plugin.ts';

/** nodeSelector and required node affinity; `added` is asked of every pod of the profile on top of its own. */
export const nodeAffinity = (added: NodeAffinity): StaticFilter => ({
  name: 'NodeAffinity',
  wakesOn: ['NodeAdded', 'NodeLabels'],
  filter({ nodeSelector, nodeAffinity }, node) {
    if (!matchesRequired(added, node)) return "node(s) didn't match scheduler-enforced node affinity";
    return matchesNodeSelector(nodeSelector, node) && matchesRequired(nodeAffinity, node)
      ? null
      : "node(s) didn't match Pod's node affinity/selector";
  },
});

/** Preferred node affinity: the weights of the preferences that the node meets. */
export const preferredNodeAffinity = (added: NodeAffinity): StaticScore => ({
  name: 'NodeAffinity',
  score: ({ nodeAffinity }, node) => preferredWeight(added, node) + preferredWeight(nodeAffinity, node),
});
