import { isTolerated } from '@periplus/api';
import type { StaticFilter, StaticScore } from '../plugin.ts';
import { toleratesNode } from '../taints.ts';

/** Taints NoSchedule and NoExecute keep pods away that don't tolerate them. */
export const taintToleration: StaticFilter = {
  name: 'TaintToleration',
  wakesOn: ['NodeAdded', 'NodeTaints'],
  filter: ({ tolerations }, node) => (toleratesNode(tolerations, node) ? null : 'node(s) had untolerated taint(s)'),
};

/** The fewer PreferNoSchedule taints the pod doesn't tolerate, the better. */
export const preferredTaints: StaticScore = {
  name: 'TaintToleration',
  reverse: true,
  score({ tolerations }, node) {
    let count = 0;
    for (const taint of node.spec.taints ?? []) {
      if (taint.effect === 'PreferNoSchedule' && !isTolerated(taint, tolerations)) count += 1;
    }
    return count;
  },
};
