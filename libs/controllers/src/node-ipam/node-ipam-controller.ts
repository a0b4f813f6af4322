import { node, serviceCIDR } from '@periplus/api';
import type { Command } from '@periplus/client';
import {
  type Controller,
  defineController,
  idle,
  type ObjectRef,
  type PlannedEvent,
  watchRule,
} from '@periplus/reconcile';
import type { NodeView } from '../node/node-taints.ts';
import { freeRanges, type PodNetwork } from './pod-ranges.ts';

/** There is one key for all nodes: a key is looked at once at a time, and in a view that has what it wrote before. */
const ALL: ObjectRef = { namespace: '', name: 'pod-ranges' };

const rangesOf = ({ spec }: NodeView): readonly string[] => spec.podCIDRs ?? (spec.podCIDR ? [spec.podCIDR] : []);

/** A node that has none needs one; one that goes gives its own back, to nodes that went without. */
const concerns = (now: NodeView | null): boolean => now === null || rangesOf(now).length === 0;

/**
 * Gives each node that comes without any a range of addresses for its pods, of each of the `networks` one, and never
 * one that another node has or Services get theirs from. https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/ (--allocate-node-cidrs)
 */
export const nodeIpamController = (networks: readonly PodNetwork[]): Controller =>
  defineController({
    name: 'node-ipam',
    for: null,
    watches: [watchRule(node, (now) => (concerns(now) ? [ALL] : []))],
    reportsAs: 'cidrAllocator',
    reconcile(_ref, view) {
      const nodes = view.list(node);
      const waiting = nodes
        .filter((one) => rangesOf(one).length === 0 && !one.metadata.deletionTimestamp)
        .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
      if (waiting.length === 0) return idle;
      const taken = [...nodes.flatMap(rangesOf), ...view.list(serviceCIDR).flatMap(({ spec }) => spec.cidrs ?? [])];
      const free = networks.map((network) => freeRanges(network, taken, waiting.length));
      const count = Math.min(...free.map(({ length }) => length));
      const events = waiting.slice(count).map(
        (about): PlannedEvent => ({
          ...{ about, type: 'Normal', reason: 'CIDRNotAvailable' },
          message: `Node ${about.metadata.name} status is now: CIDRNotAvailable`,
        }),
      );
      const commands = waiting.slice(0, count).map((one, i) =>
        assign(
          one,
          free.map((ranges) => ranges[i]!),
        ),
      );
      return { steps: commands.length > 0 ? [commands] : [], events };
    },
  });

/** Refused when the node was changed since: it may have been given a range by somebody else. */
const assign = ({ metadata }: NodeView, ranges: readonly string[]): Command => ({
  verb: 'patch',
  kind: node,
  namespace: '',
  name: metadata.name ?? '',
  ifUid: metadata.uid,
  ifResourceVersion: metadata.resourceVersion,
  type: 'merge',
  patch: { spec: { podCIDR: ranges[0]!, podCIDRs: ranges } },
});
