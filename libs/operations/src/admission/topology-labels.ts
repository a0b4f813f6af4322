import { node, type Pod, pod, podGroup } from '@periplus/api';
import type { KubeObject } from '@periplus/apimachinery';
import type { ClusterState } from '../cluster-state.ts';
import type { Admission } from './admission.ts';

const TOPOLOGY_LABELS = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

type Labels = Record<string, string>;

/** What gives pods to nodes: a Binding, or that of a pod group. */
interface AnyBinding extends KubeObject {
  target?: { name?: string };
  bindings?: { node: string; labels?: Labels }[];
}

/**
 * Tells a pod where its node stands, by copying the node's labels of zone and region: through the downward API its
 * programs can read them. https://kep.k8s.io/4742
 */
export function topologyLabels(cluster: ClusterState): Admission {
  const labelsOf = (name: string | undefined): Labels | undefined => {
    const labels = name && cluster.object(node, '', name)?.metadata.labels;
    if (!labels) return undefined;
    const found = TOPOLOGY_LABELS.filter((key) => labels[key] !== undefined);
    return found.length > 0 ? Object.fromEntries(found.map((key) => [key, labels[key]!])) : undefined;
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
