import { isTolerated, type Node } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { Constraints } from './pod-shape.ts';

/** Whether the pod may be put on the node for all that the node's taints say. */
export function toleratesNode(tolerations: Constraints['tolerations'], node: DeepReadonly<Node>): boolean {
  for (const taint of node.spec.taints ?? []) {
    if (taint.effect !== 'PreferNoSchedule' && !isTolerated(taint, tolerations)) return false;
  }
  return true;
}
