import { type Node, node } from '@periplus/api';
import type { Admission } from './admission.ts';

const NOT_READY = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' } as const;

/**
 * A new node has not said that it is ready, so no pod goes there before it has. The node life cycle controller takes
 * the taint away. https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#taintnodesbycondition
 */
export const taintNewNodes: Admission = {
  name: 'TaintNodesByCondition',
  handles: ({ kind, subresource }, operation) =>
    kind === (node as unknown) && subresource === '' && operation === 'create',
  admit({ object }) {
    const { spec } = object as Node;
    spec.taints ??= [];
    if (spec.taints.some(({ key, effect }) => key === NOT_READY.key && effect === NOT_READY.effect)) return;
    spec.taints.push({ ...NOT_READY });
  },
};
