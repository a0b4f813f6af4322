import { type Kind, node, type Pod, pod, podGroup } from '@periplus/api';
import type { DeepReadonly, KubeObject } from '@periplus/apimachinery';
import type { Entry } from '@periplus/cache';
import type { ClusterState } from '../cluster-state.ts';
import type { Admission } from './admission.ts';

const TOPOLOGY_LABELS = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

type Labels = Record<string, string>;

/** What gives pods to nodes: a Binding, or that of a pod group. */
interface AnyBinding extends KubeObject {
  target?: { name?: string };
  bindings?: { node: string; labels?: Labels }[];
}

const topologyOf = ({ metadata: { labels = {} } }: DeepReadonly<KubeObject>): Labels =>
  Object.fromEntries(TOPOLOGY_LABELS.flatMap((key) => (labels[key] === undefined ? [] : [[key, labels[key]]])));

/**
 * Tells a pod where its node stands, by copying the node's labels of zone and region: through the downward API its
 * programs can read them. https://kep.k8s.io/4742
 */
export function topologyLabels(cluster: ClusterState): Admission {
  /** As long as a node does not change. */
  const known = new WeakMap<Entry, Labels>();
  const labelsOf = (name: string | undefined): Labels | undefined => {
    const entry = name && cluster.entry(node as unknown as Kind, '', name);
    // Every pod that is bound comes by here, and to parse its node would cost more than the binding.
    if (!entry || !TOPOLOGY_LABELS.some((key) => entry.bytes.includes(`"${key}":`))) return undefined;
    const labels = known.get(entry) ?? topologyOf(entry.object);
    known.set(entry, labels);
    return labels;
  };
  /** What is said already stays. */
  const give = (to: { labels?: Labels }, nodeName: string | undefined): void => {
    const labels = labelsOf(nodeName);
    if (labels) to.labels = { ...labels, ...to.labels };
  };
  return {
    name: 'PodTopologyLabels',
    handles: ({ kind, subresource }, operation) =>
      operation === 'create' &&
      (kind === (pod as unknown)
        ? subresource === '' || subresource === 'binding'
        : kind === (podGroup as unknown) && subresource === 'binding'),
    admit({ object, target }) {
      if (target.subresource === '') {
        const { metadata, spec } = object as Pod;
        return give(metadata, spec.nodeName);
      }
      const { metadata, target: bound, bindings = [] } = object as AnyBinding;
      give(metadata, bound?.name);
      for (const binding of bindings) give(binding, binding.node);
    },
  };
}
