/** Which nodes a DaemonSet is for. https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#how-daemon-pods-are-scheduled */
import { type DaemonSet, isTolerated, matchesNodeSelector, matchesRequired, type Node } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { daemonTolerations } from './daemon-pod.ts';

export type DaemonSetView = DeepReadonly<DaemonSet>;
type NodeView = DeepReadonly<Node>;
type Template = DaemonSetView['spec']['template'];

export interface Placement {
  /** A node that has no pod of the set gets one. */
  run: boolean;
  /** A pod that is there may stay. */
  stay: boolean;
}

export const NOWHERE: Placement = { run: false, stay: false };

function placement(template: Template, node: NodeView): Placement {
  const spec = template?.spec ?? { containers: [] };
  if (spec.nodeName && spec.nodeName !== node.metadata.name) return NOWHERE;
  if (!matchesNodeSelector(spec.nodeSelector, node)) return NOWHERE;
  if (!matchesRequired(spec.affinity?.nodeAffinity, node)) return NOWHERE;
  const tolerations = daemonTolerations(spec);
  const repels = (node.spec.taints ?? []).filter((taint) => !isTolerated(taint, tolerations));
  return {
    run: repels.every(({ effect }) => effect === 'PreferNoSchedule'),
    stay: repels.every(({ effect }) => effect !== 'NoExecute'),
  };
}

/** Templates and nodes of views never change, and each pod that changes asks about all nodes. */
const known = new WeakMap<object, WeakMap<NodeView, Placement>>();

export function placementOf({ spec: { template } }: DaemonSetView, node: NodeView): Placement {
  if (!template) return NOWHERE;
  let ofTemplate = known.get(template);
  if (!ofTemplate) {
    ofTemplate = new WeakMap();
    known.set(template, ofTemplate);
  }
  let answer = ofTemplate.get(node);
  if (!answer) {
    answer = placement(template, node);
    ofTemplate.set(node, answer);
  }
  return answer;
}
