import { type Node, node, pod } from '@periplus/api';
import { type DeepReadonly, isConditionTrue } from '@periplus/apimachinery';
import type { View } from '@periplus/cache';
import type { Command } from '@periplus/client';
import { type Controller, defineController, idle, mentions, watchRule } from '@periplus/reconcile';
import { patchPodStatus, podTarget } from '../pod-commands.ts';
import { hasEnded } from '../pod-state.ts';
import { podsOnNode } from './node-controller.ts';

/** https://kubernetes.io/docs/reference/labels-annotations-taints/#node-kubernetes-io-out-of-service */
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';

/** Whether an administrator vouches that the node is down. */
export const isOutOfService = ({ spec }: DeepReadonly<Node>): boolean =>
  spec.taints?.some(({ key }) => key === OUT_OF_SERVICE) ?? false;

/** A node that is heard of ends its pods itself. */
function isOut(name: string, view: View): boolean {
  const found = view.get(node, '', name);
  return found !== undefined && isOutOfService(found) && !isConditionTrue(found.status?.conditions, 'Ready');
}

/**
 * Removes the pods that are to leave a node which is out of service, and so will never say that they ended: a
 * StatefulSet may then have them elsewhere.
 * https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#non-graceful-node-shutdown
 */
export const outOfServiceController: Controller<Node> = defineController<Node>({
  name: 'out-of-service',
  for: node,
  watches: [
    watchRule(
      pod,
      (now, _old, view) => {
        const name = now?.metadata.deletionTimestamp && now.spec.nodeName;
        return name && isOut(name, view) ? [{ namespace: '', name }] : [];
      },
      (change) => mentions(change, '"deletionTimestamp"'),
    ),
  ],
  indexes: [podsOnNode],
  reconcile({ name }, view) {
    if (!isOut(name, view)) return idle;
    const leaving = view.index(podsOnNode, name).filter(({ metadata }) => metadata.deletionTimestamp);
    const marks = leaving.filter((one) => !hasEnded(one)).map((one) => patchPodStatus(one, { phase: 'Failed' }));
    // One that has no time left already is held by its finalizers.
    const removals = leaving
      .filter(({ metadata }) => metadata.deletionGracePeriodSeconds !== 0)
      .map((one): Command => ({ ...podTarget(one), verb: 'delete', gracePeriodSeconds: 0 }));
    return { steps: [marks, removals].filter((step) => step.length > 0) };
  },
});
