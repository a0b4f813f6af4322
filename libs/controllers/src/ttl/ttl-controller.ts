import { type Node, node } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import { type Entry, textsBehind } from '@periplus/cache';
import type { Command } from '@periplus/client';
import { type Controller, defineController, watchRule } from '@periplus/reconcile';

const ANNOTATION = 'node.alpha.kubernetes.io/ttl';
/** All nodes are looked at together: many that come at once are counted once. */
const REST_MS = 1_000;
/** Nodes that are told at once; to see that wakes the controller for the others. */
const TOLD_MAX = 500;
const EVERY_NODE = { namespace: '', name: '' };

/** For clusters of how many nodes which time is right. The ranges overlap, so that one node more or less changes little. */
const SIZES = [
  { min: 0, max: 100, seconds: 0 },
  { min: 90, max: 500, seconds: 15 },
  { min: 450, max: 1_000, seconds: 30 },
  { min: 900, max: 2_000, seconds: 60 },
  { min: 1_800, max: Number.POSITIVE_INFINITY, seconds: 300 },
] as const;

/** What a node is told that has been told `told`, in a cluster of `count` nodes. */
export function ttlSeconds(count: number, told: string | undefined): number {
  const still = SIZES.find(({ seconds, min, max }) => String(seconds) === told && count >= min && count <= max);
  return (still ?? SIZES.find(({ max }) => count <= max)!).seconds;
}

const told = (entry: Entry | null): string => textsBehind(entry?.bytes ?? Buffer.alloc(0), `"${ANNOTATION}":"`).join();

const tell = ({ metadata: { name = '', uid } }: DeepReadonly<Node>, seconds: number): Command => ({
  ...{ verb: 'patch', type: 'merge', kind: node, namespace: '', name, ifUid: uid },
  patch: { metadata: { annotations: { [ANNOTATION]: String(seconds) } } },
});

/**
 * Tells nodes for how long they may go on with a Secret or ConfigMap that they have read before they ask again: the
 * longer, the more of them there are. https://kubernetes.io/docs/reference/labels-annotations-taints/#node-alpha-kubernetes-io-ttl
 */
export const ttlController: Controller = defineController({
  name: 'ttl',
  for: null,
  restMs: REST_MS,
  watches: [
    watchRule(
      node,
      () => [EVERY_NODE],
      ({ type, entry, previous }) => type !== 'modified' || told(entry) !== told(previous),
    ),
  ],
  reconcile(_ref, view) {
    const nodes = view.list(node);
    const commands: Command[] = [];
    for (const one of nodes) {
      const before = one.metadata.annotations?.[ANNOTATION];
      const seconds = ttlSeconds(nodes.length, before);
      if (String(seconds) !== before && !one.metadata.deletionTimestamp) commands.push(tell(one, seconds));
    }
    return { steps: commands.length > 0 ? [commands.slice(0, TOLD_MAX)] : [] };
  },
});
